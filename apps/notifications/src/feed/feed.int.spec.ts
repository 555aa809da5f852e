import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { userRegistered, type UserState } from '#libs/contracts';
import { uuidv7 } from '#libs/messaging';
import { Housekeeping } from '#libs/service';
import { type JsonAnswer, KafkaClient, sendJson, waitFor } from '#libs/testing';
import { erase, register, type Replica, startReplica, user } from '../../test/replica.js';
import type { NotificationView } from './feed.schemas.js';

let replica: Replica;
beforeAll(async () => {
  replica = await startReplica();
});
afterAll(() => replica.close());

const UNKNOWN = '01998d30-0000-7000-8000-000000000001';

type Send = (method: string, path?: string, headers?: Record<string, string>) => Promise<JsonAnswer>;

const as =
  (token?: string): Send =>
  (method, path = '', headers = {}) =>
    sendJson(method, `${replica.url}/api/v1/notifications${path}`, { token, headers });
const caller = async (id: string) => as(await replica.issuer.token(id));
const rows = (userId: string) =>
  replica.sql<{ id: string }>('SELECT id FROM notifications WHERE user_id = $1', [userId]);

/** Somebody who registered and was told so. */
async function registered(): Promise<{ person: UserState; send: Send; id: string }> {
  const person = user();
  await register(replica, person);
  const [row] = await waitFor(async () => {
    const found = await rows(person.id);
    return found.length > 0 && found;
  });
  return { person, send: await caller(person.id), id: row!.id };
}

/** Adds notifications of older events. */
const addMore = (userId: string, count: number) =>
  replica.sql(
    `INSERT INTO notifications (event_id, kind, user_id)
     SELECT gen_random_uuid()::text, 'welcome', $1 FROM generate_series(1, $2::int)`,
    [userId, count],
  );

/** Waits until everything that was published before for this person has been handled. */
const handled = (eventId: string) =>
  waitFor(async () => (await replica.sql('SELECT 1 FROM inbox WHERE event_id = $1', [`/users ${eventId}`]))[0]);

describe('the feed', () => {
  it('welcomes whoever registers', async () => {
    const { send, id } = await registered();
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const { status, body } = await send('GET');
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [{ id, kind: 'welcome', read: false, readAt: null, createdAt: time }],
      nextCursor: null,
    });
    expect((await send('GET', '/unread-count')).body).toEqual({ unread: 1 });
  });

  it('welcomes once, in the transaction of the mail, however often the event comes', async () => {
    const person = user();
    const eventId = uuidv7();
    await register(replica, person, eventId);
    await handled(eventId);
    expect([await rows(person.id), await replica.deliveries(person.id)].map(({ length }) => length)).toEqual([1, 1]);
    await replica.publish(userRegistered, person.id, { userId: person.id }, eventId);
    // Even when the inbox has forgotten the event.
    await replica.sql('DELETE FROM inbox WHERE event_id = $1', [`/users ${eventId}`]);
    await replica.publish(userRegistered, person.id, { userId: person.id }, eventId);
    await handled(eventId);
    expect(await rows(person.id)).toHaveLength(1);
  });

  it('marks one as read, which keeps its first time', async () => {
    const { send, id, person } = await registered();
    await addMore(person.id, 2);
    const first = await send('POST', `/${id}/read`);
    expect([first.status, first.body]).toEqual([
      200,
      expect.objectContaining({ id, read: true, readAt: expect.any(String) }),
    ]);
    expect((await send('POST', `/${id}/read`)).body).toEqual(first.body);
    expect((await send('GET', '/unread-count')).body).toEqual({ unread: 2 });
  });

  it('marks all as read, and answers a repetition with the first answer', async () => {
    const { send, person } = await registered();
    await addMore(person.id, 2);
    const headers = { 'idempotency-key': uuidv7() };
    expect((await send('POST', '/read-all', headers)).body).toEqual({ marked: 3 });
    expect((await send('GET', '/unread-count')).body).toEqual({ unread: 0 });
    const again = await send('POST', '/read-all', headers);
    expect([again.body, again.headers.get('idempotency-replayed')]).toEqual([{ marked: 3 }, 'true']);
    expect((await send('POST', '/read-all')).body).toEqual({ marked: 0 });
  });

  it('expires what others cached of whom has more or less to read', async () => {
    const { send, person, id } = await registered();
    const { TOPIC_PREFIX, KAFKA_BROKERS } = replica.env;
    const expired = async () => {
      const events = await new KafkaClient(KAFKA_BROKERS!).readAll(`${TOPIC_PREFIX}.cache`);
      return events.filter(({ key }) => key === person.id).map(({ value }) => JSON.parse(String(value)));
    };
    const times = (count: number) => waitFor(async () => (await expired()).length >= count, { what: `${count} times` });
    await times(1);
    await send('POST', `/${id}/read`);
    await times(2);
    await send('POST', '/read-all');
    await addMore(person.id, 1);
    await send('POST', '/read-all');
    await times(3);
    expect(await expired()).toEqual(Array.from({ length: 3 }, () => ({ userId: person.id })));
  });

  it('pages from the newest to the oldest', async () => {
    const { send, person } = await registered();
    await addMore(person.id, 4);
    const idsOf = ({ body }: JsonAnswer) => (body.items as NotificationView[]).map(({ id }) => id);
    const all = idsOf(await send('GET'));
    expect(all).toEqual(
      (await rows(person.id))
        .map(({ id }) => id)
        .toSorted()
        .toReversed(),
    );
    const first = await send('GET', '?limit=2');
    const second = await send('GET', `?limit=3&cursor=${first.body.nextCursor}`);
    expect([...idsOf(first), ...idsOf(second)]).toEqual(all);
    expect(second.body.nextCursor).toBeNull();
  });

  it('is hidden from a stranger, and as it was after they tried', async () => {
    const { send, id } = await registered();
    const eve = await caller(uuidv7());
    expect((await eve('GET')).body.items).toEqual([]);
    expect((await eve('GET', '/unread-count')).body).toEqual({ unread: 0 });
    const read = await eve('POST', `/${id}/read`);
    expect([read.status, read.body.code]).toEqual([404, 'notification-not-found']);
    expect((await eve('POST', '/read-all')).body).toEqual({ marked: 0 });
    expect((await send('GET', '/unread-count')).body).toEqual({ unread: 1 });
  });

  it('is erased with the account, answers to repetitions included', async () => {
    const { send, id, person } = await registered();
    await send('POST', `/${id}/read`, { 'idempotency-key': uuidv7() });
    await erase(replica, person.id);
    await waitFor(async () => (await rows(person.id)).length === 0);
    expect(await replica.sql('SELECT 1 FROM idempotency_keys WHERE owner = $1', [person.id])).toEqual([]);
    // A registration that is heard of only now, or again.
    const eventId = uuidv7();
    await replica.publish(userRegistered, person.id, { userId: person.id }, eventId);
    await handled(eventId);
    expect(await rows(person.id)).toEqual([]);
  });

  it('loses in an hour what a replica of the version before has left of the erased', async () => {
    const { person } = await registered();
    await erase(replica, person.id);
    await waitFor(async () => (await rows(person.id)).length === 0);
    await addMore(person.id, 1);
    const { id: kept } = await registered();
    await replica.app.get(Housekeeping).run();
    expect(await rows(person.id)).toEqual([]);
    expect(await replica.sql('SELECT 1 FROM notifications WHERE id = $1', [kept])).toHaveLength(1);
  });

  it.each([
    ['an unknown notification', 'POST', `/${UNKNOWN}/read`, 404, 'notification-not-found'],
    ['an id that is no UUID', 'POST', '/5/read', 400, 'invalid-input'],
    ['limit 0', 'GET', '?limit=0', 400, 'invalid-input'],
    ['an unknown parameter', 'GET', '?unread=true', 400, 'invalid-input'],
    ['a made-up cursor', 'GET', '?cursor=abc', 400, 'bad-cursor'],
    ['a method that is not there', 'DELETE', '', 405, 'method-not-allowed'],
  ])('answers %s with a problem', async (_what, method, path, status, code) => {
    const { body, headers } = await (await caller(uuidv7()))(method, path);
    expect(body).toMatchObject({ status, code });
    expect(headers.get('content-type')).toMatch('application/problem+json');
  });

  it.each([
    ['GET', ''],
    ['GET', '/unread-count'],
    ['POST', `/${UNKNOWN}/read`],
    ['POST', '/read-all'],
  ])('wants a token: %s %s', async (method, path) => {
    expect((await as()(method, path)).body).toMatchObject({ status: 401, code: 'token-missing' });
  });
});
