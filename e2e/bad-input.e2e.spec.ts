import { beforeAll, describe, expect, it } from '@jest/globals';
import { Client, type Item, type List, type SendOptions } from './client.js';
import { expectProblem } from './expect-problem.js';
import { newPerson, type Person, registration } from './people.js';
import { findTarget } from './target.js';

/** In paths: ids that belong to the caller, to another user, and to nobody. */
interface Ids {
  list: string;
  item: string;
  theirList: string;
  theirItem: string;
}

type Case = [
  name: string,
  request: [method: string, path: string | ((ids: Ids) => string), options?: SendOptions],
  status: number,
  code: string,
  place?: string,
];

const sent = (body: unknown): SendOptions => ({ body });
const form = { raw: 'name=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
const badKey = { body: { name: 'Key' }, headers: { 'idempotency-key': 'a b' } };

/** The details are in each service's bad-input.int.spec.ts; this tests the same through the edge. */
const cases: Case[] = [
  ['broken JSON', ['POST', '/users', { raw: '{"email": ' }], 400, 'invalid-json'],
  ['a 2 MB body', ['POST', '/users', { raw: `{"email":"${'a'.repeat(2e6)}"}` }], 413, 'body-too-large'],
  ['a 2 MB body', ['POST', '/lists', { raw: `{"name":"${'a'.repeat(2e6)}"}` }], 413, 'body-too-large'],
  ['a form', ['POST', '/lists', form], 415, 'unsupported-media-type'],
  ['an unknown route', ['GET', '/users/me/nothing'], 404, 'route-not-found'],
  ['an unknown route', ['GET', '/lists/a/b/c'], 404, 'route-not-found'],
  ['an unknown route', ['GET', '/notifications/nothing'], 404, 'route-not-found'],
  ['another method', ['DELETE', '/auth/login'], 405, 'method-not-allowed'],
  ['a broken Idempotency-Key', ['POST', '/lists', badKey], 400, 'bad-idempotency-key'],
  ['an unknown field', ['POST', '/users', sent({ ...registration(), isAdmin: true })], 400, 'invalid-input', ''],
  ['a false refresh token', ['POST', '/auth/refresh', sent({ refreshToken: 'x.y' })], 401, 'refresh-token-invalid'],
  ['a duplicate', ['POST', '/lists', sent({ name: 'Mine' })], 409, 'list-name-taken', 'name'],
  ["somebody else's list", ['DELETE', ({ theirList }) => `/lists/${theirList}`], 404, 'list-not-found'],
  ["somebody else's item", ['GET', ({ theirItem }) => `/items/${theirItem}`], 404, 'item-not-found'],
  ['a bad cursor', ['GET', '/notifications/deliveries?cursor=%F0%9F%92%A5'], 400, 'bad-cursor'],
];

describe('bad input', () => {
  let person: Person;
  let ids: Ids;

  beforeAll(async () => {
    const target = await findTarget();
    person = await newPerson(target);
    const other = await newPerson(target);
    const make = async (api: Client) => {
      const { body: list } = await api.post<List>('/lists', { name: 'Mine' });
      const { body: item } = await api.post<Item>(`/lists/${list.id}/items`, { name: 'Milk' });
      return [list.id, item.id] as const;
    };
    const [[list, item], [theirList, theirItem]] = [await make(person.api), await make(other.api)];
    ids = { list, item, theirList, theirItem };
  }, 150_000);

  const check = async (...[, [method, path, options], status, code, place]: Case) => {
    const answer = await person.api.send(method, typeof path === 'string' ? path : path(ids), options);
    expectProblem(answer, status, code, place);
  };

  it.each(cases)('%s: %j', check);

  it('none of it left a trace', async () => {
    expect((await person.api.get('/users/me')).body).toEqual(person.user);
    const all = await person.api.get<{ items: List[] }>('/lists');
    expect(all.body.items).toMatchObject([{ id: ids.list, name: 'Mine', openItems: 1, version: 2 }]);
  });

  it('a given request id comes back in the answer and in the error', async () => {
    const answer = await person.api.get('/lists/1', { headers: { 'x-request-id': 'of-a-test-1' } });
    expect(answer.body.requestId).toBe('of-a-test-1');
    expect(answer.headers.get('x-request-id')).toBe('of-a-test-1');
  });
});
