import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidv7 } from '#libs/messaging';
import { waitFor } from '#libs/testing';
import { type Caller, TodosFixture } from '../../test/todos-fixture.js';
import { Housekeeping } from '#libs/service';

describe('lists', () => {
  let fixture: TodosFixture;
  let ada: Caller;
  let eve: Caller;

  beforeAll(async () => {
    fixture = await TodosFixture.start();
    [ada, eve] = await Promise.all([fixture.user(), fixture.user()]);
  });
  afterAll(() => fixture.close());

  it('creates a list and tells where it is', async () => {
    const { status, body, headers } = await ada.send('POST', '/lists', { name: 'Groceries' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      name: 'Groceries',
      ownerId: ada.id,
      role: 'owner',
      openItems: 0,
      createdAt: expect.stringMatching(/^20.*Z$/),
      updatedAt: body.createdAt,
      version: 1,
    });
    expect(headers.get('location')).toBe(`/api/v1/lists/${body.id}`);
    expect(headers.get('etag')).toBe('"1"');
    expect((await ada.send('GET', `/lists/${body.id}`)).body).toEqual(body);
  });

  it.each([
    ['24 characters', 'x'.repeat(24), 'x'.repeat(24)],
    ['25 characters', 'x'.repeat(25), 'x'.repeat(25)],
    ['25 emoji, each of two UTF-16 units', '🍏'.repeat(25), '🍏'.repeat(25)],
    ['spaces around', '  Garden \t'.replace('\t', ' '), 'Garden'],
    ['a composed letter', 'Cafe\u0301', 'Caf\u00e9'],
  ])('takes a name of %s', async (_case, given, kept) => {
    const { status, body } = await ada.send('POST', '/lists', { name: given });
    expect([status, body.name]).toEqual([201, kept]);
  });

  it('knows a name again however its letters are composed', async () => {
    await ada.send('POST', '/lists', { name: 'Na\u00efve' });
    const { status, body } = await ada.send('POST', '/lists', { name: ' Nai\u0308ve ' });
    expect([status, body.code, body.errors[0].path]).toEqual([409, 'list-name-taken', 'name']);
  });

  it('keeps names apart by owner only', async () => {
    const bob = await fixture.user();
    const names = await Promise.all([
      bob.send('POST', '/lists', { name: 'Same' }),
      eve.send('POST', '/lists', { name: 'Same' }),
    ]);
    expect(names.map(({ status }) => status)).toEqual([201, 201]);
  });

  it('gives a name once to two requests at the same time', async () => {
    const both = await Promise.all([1, 2].map(() => ada.send('POST', '/lists', { name: 'Race' })));
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
  });

  it('takes an id that the client chose, once', async () => {
    const id = uuidv7();
    const first = await ada.send('POST', '/lists', { id: id.toUpperCase(), name: 'Mine' });
    expect([first.status, first.body.id]).toEqual([201, id]);
    const again = await eve.send('POST', '/lists', { id, name: 'Mine' });
    expect([again.status, again.body.code]).toEqual([409, 'list-id-taken']);
  });

  it('pages through all lists of the owner and no others, while lists come and go', async () => {
    const bob = await fixture.user();
    const made: string[] = [];
    for (let number = 0; number < 7; number++) made.push((await bob.list(`List ${number}`)).id);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await bob.send('GET', `/lists?limit=3${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      if (cursor === '') await bob.send('DELETE', `/lists/${made[1]}`);
      cursor = body.nextCursor;
    }
    expect(seen).toEqual(made);
  });

  it('renames under If-Match, and shows the present state to who was late', async () => {
    const list = await ada.list('Before');
    const renamed = await ada.send('PATCH', `/lists/${list.id}`, { name: 'After' }, { 'if-match': '"1"' });
    expect([renamed.status, renamed.body.name, renamed.body.version]).toEqual([200, 'After', 2]);
    expect(renamed.headers.get('etag')).toBe('"2"');
    const late = await ada.send('PATCH', `/lists/${list.id}`, { name: 'Late' }, { 'if-match': '"1"' });
    expect([late.status, late.body.code, late.body.current]).toEqual([412, 'version-conflict', renamed.body]);
    const lateDelete = await ada.send('DELETE', `/lists/${list.id}`, undefined, { 'if-match': '"1"' });
    expect(lateDelete.status).toBe(412);
  });

  it('keeps the version when a rename changes nothing', async () => {
    const list = await ada.list('Same as ever');
    const { body } = await ada.send('PATCH', `/lists/${list.id}`, { name: 'Same as ever' });
    expect(body).toEqual(list);
    expect((await ada.send('PATCH', `/lists/${list.id}`, {})).body).toEqual(list);
  });

  it('does not rename to a name that is taken', async () => {
    await ada.list('Taken');
    const list = await ada.list('Free');
    const { status, body } = await ada.send('PATCH', `/lists/${list.id}`, { name: 'Taken' });
    expect([status, body.code]).toEqual([409, 'list-name-taken']);
  });

  it('answers 304 while nothing changed, and the new state when an item came', async () => {
    const list = await ada.list('Watched');
    const unchanged = await ada.send('GET', `/lists/${list.id}`, undefined, { 'if-none-match': '"1"' });
    expect([unchanged.status, unchanged.body]).toEqual([304, undefined]);
    await ada.send('POST', `/lists/${list.id}/items`, { name: 'Milk' });
    const changed = await ada.send('GET', `/lists/${list.id}`, undefined, { 'if-none-match': '"1"' });
    expect([changed.status, changed.body.openItems]).toEqual([200, 1]);
  });

  it('creates once under one Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'a-key' };
    const first = await ada.send('POST', '/lists', { name: 'Once' }, key);
    const again = await ada.send('POST', '/lists', { name: 'Once' }, key);
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.headers.get('location')).toBe(`/api/v1/lists/${first.body.id}`);
    const other = await ada.send('POST', '/lists', { name: 'Other' }, key);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency-key-reused']);
    const stranger = await eve.send('POST', '/lists', { name: 'Other' }, key);
    expect(stranger.status).toBe(201);
  });

  it('answers 409 to a repetition while the first request is at work', async () => {
    const body = { name: 'In flight' };
    const key = { 'idempotency-key': 'flying' };
    const all = await Promise.all(Array.from({ length: 4 }, () => ada.send('POST', '/lists', body, key)));
    const codes = new Set(all.map((answer) => (answer.status === 201 ? answer.body.id : answer.body.code)));
    codes.delete('idempotency-in-flight');
    expect([...codes]).toEqual([expect.stringMatching(/-/)]);
  });

  it('forgets what it kept under an Idempotency-Key after a day', async () => {
    const key = { 'idempotency-key': 'old' };
    await ada.send('POST', '/lists', { name: 'Yesterday' }, key);
    const housekeeping = fixture.service.app.get(Housekeeping);
    await housekeeping.run();
    expect((await ada.send('POST', '/lists', { name: 'Today' }, key)).status).toBe(422);
    await fixture.dataSource.query(`UPDATE idempotency_keys SET created_at = now() - interval '25 hours'`);
    await housekeeping.run();
    expect(await fixture.dataSource.query('SELECT key FROM idempotency_keys')).toEqual([]);
    expect((await ada.send('POST', '/lists', { name: 'Today' }, key)).status).toBe(201);
  });

  it('deletes a list with its items', async () => {
    const list = await ada.list('Gone');
    const { body: item } = await ada.send('POST', `/lists/${list.id}/items`, { name: 'Milk' });
    expect((await ada.send('DELETE', `/lists/${list.id}`)).status).toBe(204);
    expect((await ada.send('GET', `/lists/${list.id}`)).body.code).toBe('list-not-found');
    expect((await ada.send('GET', `/items/${item.id}`)).body.code).toBe('item-not-found');
  });

  it('tells of every change, in order', async () => {
    const list = await ada.list('Told');
    await ada.send('PATCH', `/lists/${list.id}`, { name: 'Retold' });
    await ada.send('PATCH', `/lists/${list.id}`, { name: 'Retold' });
    await ada.send('DELETE', `/lists/${list.id}`);
    const state = { id: list.id, ownerId: ada.id };
    const events = await waitFor(async () => {
      const found = await fixture.events(list.id);
      return found.length >= 3 ? found : undefined;
    });
    expect(events).toEqual([
      { type: 'list.created', data: { ...state, version: 1 } },
      { type: 'list.updated', data: { ...state, version: 2 } },
      { type: 'list.deleted', data: state },
    ]);
  });
});
