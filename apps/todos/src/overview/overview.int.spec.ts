import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { register } from 'prom-client';
import { createDatabase, type JsonAnswer, waitFor, Wire } from '#libs/testing';
import { type Caller, TodosFixture } from '../../test/todos-fixture.js';

/** Less than a slow service takes, and a pool that waits for a database; the limits themselves are far below. */
const SOON = 4500;

async function timed(asking: Promise<JsonAnswer>): Promise<JsonAnswer & { time: number }> {
  const begun = performance.now();
  return { ...(await asking), time: performance.now() - begun };
}

/** Not from the cache. */
const overview = (caller: Caller, query = '', headers = {}) =>
  timed(caller.send('GET', `/overview${query}`, undefined, { 'cache-control': 'no-cache', ...headers }));

async function circuit(callee: string): Promise<number | undefined> {
  const { values } = await register.getSingleMetric('tasklane_circuit_state')!.get();
  return values.find(({ labels }) => labels['callee'] === callee)?.value;
}

describe('the overview', () => {
  let fixture: TodosFixture;
  let ada: Caller;
  beforeAll(async () => {
    fixture = await TodosFixture.start();
    ada = await fixture.user();
    await ada.list('Groceries');
  });
  afterAll(() => fixture.close());
  beforeEach(async () => {
    fixture.users.mode = 'well';
    fixture.notifications.mode = 'well';
    // Breakers that a test before has left open close with the next success.
    await waitFor(async () => (await overview(ada)).body.degraded.length === 0);
  });

  /** Adds lists behind the service's back. */
  const addLists = (owner: Caller, count: number) =>
    fixture.dataSource.query(
      `INSERT INTO lists (id, owner_id, name, open_items)
       SELECT uuidv7(), $1, 'List ' || n, n FROM generate_series(1, $2::int) AS n`,
      [owner.id, count],
    );

  it('gathers profile, lists and unread notifications', async () => {
    const { status, body } = await overview(ada);
    expect(status).toBe(200);
    expect(body).toEqual({
      profile: { id: ada.id, email: `${ada.id}@example.com`, firstName: 'Ada', lastName: 'Lovelace' },
      lists: (await ada.send('GET', '/lists')).body,
      notifications: { unread: 3 },
      degraded: [],
    });
    expect(body.lists.items).toHaveLength(1);
  });

  it('asks notifications with the token of the caller and under the same request id', async () => {
    const token = await fixture.issuer.token(ada.id);
    await overview(fixture.caller(ada.id, token), '', { 'x-request-id': 'one-of-ours' });
    expect(fixture.notifications.headers).toMatchObject({
      authorization: `Bearer ${token}`,
      'x-request-id': 'one-of-ours',
    });
  });

  it('has the first 200 lists, and says how to go on', async () => {
    const grace = await fixture.user();
    await grace.list();
    await addLists(grace, 201);
    const { items, nextCursor } = (await overview(grace)).body.lists;
    expect(items).toHaveLength(200);
    const rest = (await grace.send('GET', `/lists?cursor=${nextCursor}`)).body;
    expect(rest.items.map(({ name }: { name: string }) => name)).toEqual(['List 200', 'List 201']);
  });

  it('has a compact view of the same in under a quarter of the bytes', async () => {
    const grace = await fixture.user();
    await grace.list();
    await addLists(grace, 20);
    const full = (await overview(grace)).body;
    const compact = (await overview(grace, '?view=compact')).body;
    expect(compact).toEqual({
      profile: [grace.id, 'Ada'],
      lists: full.lists.items.map((list: { id: string; name: string; openItems: number }) => [
        list.id,
        list.name,
        list.openItems,
      ]),
      nextCursor: null,
      unread: 3,
      degraded: [],
    });
    expect(JSON.stringify(compact).length).toBeLessThan(JSON.stringify(full).length / 4);
  });

  it("shows a stranger nothing of somebody else's", async () => {
    const eve = await fixture.user();
    const { status, body } = await overview(eve);
    expect([status, body.lists.items, body.profile.id]).toEqual([200, [], eve.id]);
  });

  it.each([
    ['an unknown view', '?view=tiny'],
    ['an unknown parameter', '?limit=5'],
  ])('refuses %s', async (_what, query) => {
    const { status, body } = await overview(ada, query);
    expect([status, body.code]).toEqual([400, 'invalid-input']);
  });

  it('wants a token', async () => {
    expect((await overview(fixture.caller(ada.id, undefined))).body.code).toBe('token-missing');
  });

  const lists = ['Groceries'];
  const expectWithout = (part: 'profile' | 'notifications', answer: JsonAnswer & { time: number }) => {
    expect(answer.status).toBe(200);
    // A busy machine may be late with the other one, too.
    expect(answer.body).toMatchObject({ [part]: null, degraded: expect.arrayContaining([part]) });
    expect(answer.body.lists.items.map(({ name }: { name: string }) => name)).toEqual(lists);
    expect(answer.time).toBeLessThan(SOON);
  };

  it.each(['silent', 'unavailable'] as const)('goes without the profile when users is %s', async (mode) => {
    fixture.users.mode = mode;
    expectWithout('profile', await overview(ada));
  });

  it('goes without the profile when users refuses connections', async () => {
    fixture.users.stop();
    expectWithout('profile', await overview(ada));
    await fixture.users.start();
  });

  it('goes without the profile of somebody whom users does not know', async () => {
    const ghost = await fixture.user({ known: false });
    expect((await overview(ghost)).body).toMatchObject({ profile: null, degraded: ['profile'] });
  });

  it.each(['silent', 'stuck', 'slow', 'failing', 'garbled'] as const)(
    'goes without what is unread when notifications is %s',
    async (mode) => {
      fixture.notifications.mode = mode;
      expectWithout('notifications', await overview(ada));
    },
  );

  it('goes without what is unread when notifications refuses connections', async () => {
    fixture.notifications.stop();
    expectWithout('notifications', await overview(ada));
    await fixture.notifications.start();
  });

  it('opens the circuit to a silent service, asks it no more, and closes it when one call went well', async () => {
    fixture.notifications.mode = 'silent';
    await waitFor(async () => {
      expectWithout('notifications', await overview(ada));
      return (await circuit('notifications')) === 2;
    });
    const { calls } = fixture.notifications;
    for (const answer of await Promise.all([1, 2, 3].map(() => overview(ada)))) expectWithout('notifications', answer);
    expect(fixture.notifications.calls).toBe(calls);

    // Half open after 2 s: one call tries, fails, and the circuit is open again.
    await waitFor(async () => {
      expectWithout('notifications', await overview(ada));
      return fixture.notifications.calls > calls;
    });
    expect([fixture.notifications.calls, await circuit('notifications')]).toEqual([calls + 1, 2]);

    fixture.notifications.mode = 'well';
    await waitFor(async () => (await overview(ada)).body.degraded.length === 0);
    expect(await circuit('notifications')).toBe(0);
  });

  it('opens the circuit to users, too', async () => {
    fixture.users.mode = 'silent';
    const asked = fixture.users.calls;
    await Promise.all(Array.from({ length: 5 }, () => overview(ada)));
    await waitFor(async () => (await circuit('users')) === 2);
    expect(fixture.users.calls - asked).toBe(5);
    expectWithout('profile', await overview(ada));
    expect(fixture.users.calls - asked).toBe(5);
  });
});

describe('the overview in trouble', () => {
  it('goes without both when their names cannot be resolved', async () => {
    const fixture = await TodosFixture.start({
      USERS_GRPC_URL: 'users.invalid:50051',
      NOTIFICATIONS_URL: 'http://notifications.invalid:8080',
    });
    const { status, body, time } = await overview(await fixture.user());
    await fixture.close();
    expect([status, body.degraded]).toEqual([200, ['profile', 'notifications']]);
    expect(time).toBeLessThan(SOON);
  });

  it.each([
    ['gone', async (wire: Wire) => wire.close()],
    ['silent', async (wire: Wire) => wire.cut()],
  ])('is a 503, soon, when the database is %s', async (_how, fail) => {
    const database = await createDatabase();
    const wire = await Wire.to(database.url);
    const fixture = await TodosFixture.start({ DATABASE_URL: wire.url });
    const ada = await fixture.user();
    await waitFor(async () => (await overview(ada)).status === 200);
    await fail(wire);
    const answers = await Promise.all(Array.from({ length: 20 }, () => overview(ada)));
    await wire.close();
    await fixture.close();
    await database.drop();
    for (const { status, body, headers, time } of answers) {
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
      expect(time).toBeLessThan(SOON);
    }
  });
});
