import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonAnswer } from '#libs/testing';
import { type Caller, TodosFixture } from '../test/todos-fixture.js';

const UNKNOWN = '01998d30-0000-7000-8000-000000000001';

describe('bad input', () => {
  let fixture: TodosFixture;
  let ada: Caller;
  let eve: Caller;
  let listId: string;
  let itemId: string;

  beforeAll(async () => {
    fixture = await TodosFixture.start();
    [ada, eve] = await Promise.all([fixture.user(), fixture.user()]);
    listId = (await ada.list()).id;
    itemId = (await ada.send('POST', `/lists/${listId}/items`, { name: 'Milk' })).body.id;
  });
  afterAll(() => fixture.close());

  /** Inserts ids that are known only at run time. */
  const real = (path: string) => path.replace('{list}', listId).replace('{item}', itemId);

  const expectProblem = ({ status, body, headers }: JsonAnswer, expected: number, code: string, path?: string) => {
    expect([status, body.code]).toEqual([expected, code]);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(body).toMatchObject({
      status,
      type: `urn:tasklane:problem:${code}`,
      requestId: headers.get('x-request-id'),
    });
    expect(JSON.stringify(body)).not.toMatch(/SELECT|INSERT|\.ts|node_modules/);
    if (path !== undefined) expect(body.errors.map((error: { path: string }) => error.path)).toContain(path);
  };

  const items = '/lists/{list}/items';
  const named = (count: number) => Array.from({ length: count }, (_, number) => ({ name: `Item ${number}` }));

  it.each<[what: string, method: string, path: string, body: unknown, status: number, code: string, ...at: string[]]>([
    ['invalid JSON', 'POST', '/lists', '{"name":', 400, 'invalid-json'],
    ['no body', 'POST', '/lists', undefined, 400, 'invalid-input'],
    ['an unknown field', 'POST', '/lists', { name: 'A', colour: 'red' }, 400, 'invalid-input', ''],
    ['a field that only we set', 'POST', '/lists', { name: 'A', ownerId: UNKNOWN }, 400, 'invalid-input', ''],
    ['a name of the wrong type', 'POST', '/lists', { name: 5 }, 400, 'invalid-input', 'name'],
    ['a name that is null', 'POST', '/lists', { name: null }, 400, 'invalid-input', 'name'],
    ['no name', 'POST', '/lists', {}, 400, 'invalid-input', 'name'],
    ['an empty name', 'POST', '/lists', { name: '' }, 400, 'invalid-input', 'name'],
    ['a name of spaces', 'POST', '/lists', { name: ' \u00a0 ' }, 400, 'invalid-input', 'name'],
    ['a name of 26 characters', 'POST', '/lists', { name: 'x'.repeat(26) }, 400, 'invalid-input', 'name'],
    ['a name of 26 emoji', 'POST', '/lists', { name: '🍏'.repeat(26) }, 400, 'invalid-input', 'name'],
    ['a name with NUL', 'POST', '/lists', { name: 'a\0b' }, 400, 'invalid-input', 'name'],
    ['a name with half an emoji', 'POST', '/lists', '{"name":"\\ud83d"}', 400, 'invalid-input', 'name'],
    ['an array of lists', 'POST', '/lists', [{ name: 'A' }], 400, 'invalid-input', ''],
    ['an id that is no UUID', 'POST', '/lists', { id: 'x', name: 'A' }, 400, 'invalid-input', 'id'],
    [
      'an id of version 4',
      'POST',
      '/lists',
      { id: 'f47ac10b-58cc-4372-a567-0e02b2c3d479', name: 'A' },
      400,
      'invalid-input',
      'id',
    ],
    ['a bad cursor', 'GET', '/lists?cursor=x', undefined, 400, 'bad-cursor'],
    [
      'a cursor that is no id',
      'GET',
      `/lists?cursor=${Buffer.from('"x"').toString('base64url')}`,
      undefined,
      400,
      'bad-cursor',
    ],
    ['a limit of 0', 'GET', '/lists?limit=0', undefined, 400, 'invalid-input', 'limit'],
    ['a limit of 201', 'GET', '/lists?limit=201', undefined, 400, 'invalid-input', 'limit'],
    ['a limit in words', 'GET', '/lists?limit=ten', undefined, 400, 'invalid-input', 'limit'],
    ['an unknown parameter', 'GET', '/lists?page=2', undefined, 400, 'invalid-input', ''],
    ['a list id that is no UUID', 'GET', '/lists/5', undefined, 400, 'invalid-input', ''],
    ['an unknown list', 'GET', `/lists/${UNKNOWN}`, undefined, 404, 'list-not-found'],
    ['a rename to too much', 'PATCH', '/lists/{list}', { name: 'x'.repeat(26) }, 400, 'invalid-input', 'name'],
    ['an unknown route', 'GET', '/list', undefined, 404, 'route-not-found'],
    ['a method that is not there', 'PUT', '/lists/{list}', { name: 'A' }, 405, 'method-not-allowed'],
    ['an item in an unknown list', 'POST', `/lists/${UNKNOWN}/items`, { name: 'A' }, 404, 'list-not-found'],
    ['a duplicate', 'POST', items, { name: 'Milk' }, 409, 'item-name-taken', 'name'],
    ['an item name of 51 characters', 'POST', items, { name: 'x'.repeat(51) }, 400, 'invalid-input', 'name'],
    ['an item name of 51 emoji', 'POST', items, { name: '🥛'.repeat(51) }, 400, 'invalid-input', 'name'],
    [
      'one empty name of three',
      'POST',
      items,
      [{ name: 'A' }, { name: '' }, { name: 'B' }],
      400,
      'invalid-input',
      '1.name',
    ],
    ['101 items', 'POST', items, named(101), 400, 'too-many-items'],
    ['null as a name', 'PATCH', '/items/{item}', { name: null }, 400, 'invalid-input', 'name'],
    [
      'the same label 21 times',
      'POST',
      items,
      { name: 'A', labels: Array(21).fill('x') },
      400,
      'invalid-input',
      'labels',
    ],
    ['no items', 'POST', items, [], 400, 'invalid-input', ''],
    ['an array in an array', 'POST', items, [[{ name: 'A' }]], 400, 'invalid-input', '0'],
    ['an item that is text', 'POST', items, '"Milk"', 400, 'invalid-input', ''],
    ['an unknown field of an item', 'POST', items, [{ name: 'A', done: true }], 400, 'invalid-input', '0'],
    ['a position', 'POST', items, { name: 'A', position: 'a0' }, 400, 'invalid-input', ''],
    [
      'notes of 10,001 characters',
      'POST',
      items,
      { name: 'A', notes: 'x'.repeat(10_001) },
      400,
      'invalid-input',
      'notes',
    ],
    ['notes with NUL', 'POST', items, { name: 'A', notes: '\0' }, 400, 'invalid-input', 'notes'],
    ['notes with half an emoji', 'POST', items, '{"name":"A","notes":"\\ud83d"}', 400, 'invalid-input', 'notes'],
    ['a priority of 4', 'POST', items, { name: 'A', priority: 4 }, 400, 'invalid-input', 'priority'],
    ['a priority of 1.5', 'POST', items, { name: 'A', priority: 1.5 }, 400, 'invalid-input', 'priority'],
    ['completed as text', 'POST', items, { name: 'A', completed: 'yes' }, 400, 'invalid-input', 'completed'],
    [
      '21 labels',
      'POST',
      items,
      { name: 'A', labels: named(21).map(({ name }) => name) },
      400,
      'invalid-input',
      'labels',
    ],
    [
      'a label of 26 characters',
      'POST',
      items,
      { name: 'A', labels: ['x'.repeat(26)] },
      400,
      'invalid-input',
      'labels.0',
    ],
    ['a date that is none', 'POST', items, { name: 'A', due: '2026-02-30' }, 400, 'invalid-input', 'due'],
    ['a time without a zone', 'POST', items, { name: 'A', due: '2026-02-03T10:00:00' }, 400, 'invalid-input', 'due'],
    ['the year 0', 'POST', items, { name: 'A', due: '0000-01-01' }, 400, 'invalid-input', 'due'],
    ['the end of time', 'POST', items, { name: 'A', due: '9999-12-31T23:59:59-10:00' }, 400, 'invalid-input', 'due'],
    ['an unknown sort order', 'GET', `${items}?sort=colour`, undefined, 400, 'invalid-input', 'sort'],
    ['a completed of 1', 'GET', `${items}?completed=1`, undefined, 400, 'invalid-input', 'completed'],
    ['a due filter that is no date', 'GET', `${items}?dueBefore=soon`, undefined, 400, 'invalid-input', 'dueBefore'],
    ['a search for NUL', 'GET', `${items}?q=%00`, undefined, 400, 'invalid-input', 'q'],
    ['a bad cursor of items', 'GET', `${items}?cursor=%00`, undefined, 400, 'bad-cursor'],
    ['a cursor of another shape', 'GET', `${items}?cursor=W10`, undefined, 400, 'bad-cursor'],
    ['the deletion of an unknown item', 'DELETE', `/items/${UNKNOWN}`, undefined, 404, 'item-not-found'],
    ['an unknown item', 'GET', `/items/${UNKNOWN}`, undefined, 404, 'item-not-found'],
    ['a move without a place', 'POST', '/items/{item}/move', {}, 400, 'invalid-input', 'after'],
    ['a move behind nobody', 'POST', '/items/{item}/move', { after: UNKNOWN }, 400, 'after-not-in-list', 'after'],
    ['deep JSON', 'POST', '/lists', '['.repeat(100_000) + ']'.repeat(100_000), 400, 'json-too-deep'],
    ['a body of 2 MB', 'POST', items, { name: 'A', notes: 'x'.repeat(2_000_000) }, 413, 'body-too-large'],
  ])('refuses %s', async (_what, method, path, body, status, code, ...at) => {
    expectProblem(await ada.send(method, real(path), body), status, code, ...at);
  });

  it.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
  ])('refuses a body of the type %s', async (type, status) => {
    expectProblem(
      await ada.send('POST', '/lists', 'name=A', { 'content-type': type }),
      status,
      'unsupported-media-type',
    );
  });

  it.each(['3', 'W/', '"x"', '"1", "2"'])('refuses If-Match: %s', async (tag) => {
    expectProblem(await ada.send('PATCH', `/items/${itemId}`, {}, { 'if-match': tag }), 400, 'bad-if-match');
  });

  it.each(['a b', 'x'.repeat(256)])('refuses the Idempotency-Key %s', async (key) => {
    const answer = await ada.send('POST', '/lists', { name: 'A' }, { 'idempotency-key': key });
    expectProblem(answer, 400, 'bad-idempotency-key');
  });

  it.each<[what: string, token: () => Promise<string | undefined>, code: string]>([
    ['no token', async () => undefined, 'token-missing'],
    ['a malformed token', async () => 'x.y.z', 'token-invalid'],
    [
      'an expired token',
      () => fixture.issuer.token(ada.id, { exp: Math.floor(Date.now() / 1000) - 60 }),
      'token-expired',
    ],
    ['a token of another signer', () => fixture.issuer.token(ada.id, {}, { foreign: true }), 'token-invalid'],
    ['a token for somebody else', () => fixture.issuer.token(ada.id, { aud: 'other' }), 'token-invalid'],
    ['a token of another issuer', () => fixture.issuer.token(ada.id, { iss: 'http://evil' }), 'token-invalid'],
    [
      'a token without a signature',
      async () => {
        const [header, claims] = (await fixture.issuer.token(ada.id)).split('.');
        const none = { ...JSON.parse(Buffer.from(header!, 'base64url').toString()), alg: 'none' };
        return `${Buffer.from(JSON.stringify(none)).toString('base64url')}.${claims}.`;
      },
      'token-invalid',
    ],
  ])('refuses %s', async (_what, token, code) => {
    const answer = await fixture.caller(ada.id, await token()).send('GET', '/lists');
    expectProblem(answer, 401, code);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it.each<[method: string, path: string, body: unknown, code: string]>([
    ['GET', '/lists/{list}', undefined, 'list-not-found'],
    ['PATCH', '/lists/{list}', { name: 'Mine' }, 'list-not-found'],
    ['DELETE', '/lists/{list}', undefined, 'list-not-found'],
    ['GET', '/lists/{list}/items', undefined, 'list-not-found'],
    ['POST', '/lists/{list}/items', { name: 'Milk' }, 'list-not-found'],
    ['POST', '/lists/{list}/items', [{ name: 'Mine' }], 'list-not-found'],
    ['POST', '/lists/{list}/items/clear-completed', undefined, 'list-not-found'],
    ['GET', '/items/{item}', undefined, 'item-not-found'],
    ['PATCH', '/items/{item}', { name: 'Mine' }, 'item-not-found'],
    ['POST', '/items/{item}/move', { after: null }, 'item-not-found'],
    ['DELETE', '/items/{item}', undefined, 'item-not-found'],
  ])('hides it from a stranger: %s %s', async (method, path, body, code) => {
    const before = [(await ada.send('GET', `/lists/${listId}`)).body, (await ada.send('GET', `/items/${itemId}`)).body];
    expectProblem(await eve.send(method, real(path), body), 404, code);
    const after = [(await ada.send('GET', `/lists/${listId}`)).body, (await ada.send('GET', `/items/${itemId}`)).body];
    expect(after).toEqual(before);
  });
});
