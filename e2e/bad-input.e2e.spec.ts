import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Client, type Item, type List, type SendOptions } from './client.js';
import { expectProblem } from './expect-problem.js';
import { newPerson, type Person, registration } from './people.js';
import { findTarget } from './target.js';

/** In paths: what belongs to the caller, to somebody else, and to nobody. */
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
const register = (given: object): Case[1] => ['POST', '/users', sent({ ...registration(), ...given })];
const login = (body: object): Case[1] => ['POST', '/auth/login', sent(body)];
const newList = (body: unknown): Case[1] => ['POST', '/lists', sent(body)];
const newItem = (body: unknown): Case[1] => ['POST', ({ list }) => `/lists/${list}/items`, sent(body)];
const nobody = randomUUID();

const anywhere: Case[] = [
  ['broken JSON', ['POST', '/users', { raw: '{"email": ' }], 400, 'invalid-json'],
  ['broken JSON', ['POST', '/lists', { raw: '[{]' }], 400, 'invalid-json'],
  ['an empty body', ['POST', '/auth/login', { raw: '' }], 400, 'invalid-json'],
  ['a 2 MB body', ['POST', '/users', { raw: `{"email":"${'a'.repeat(2e6)}"}` }], 413, 'body-too-large'],
  ['a 2 MB body', ['POST', '/lists', { raw: `{"name":"${'a'.repeat(2e6)}"}` }], 413, 'body-too-large'],
  [
    'XML',
    ['POST', '/users', { raw: '<user/>', headers: { 'content-type': 'application/xml' } }],
    415,
    'unsupported-media-type',
  ],
  [
    'a form',
    ['POST', '/lists', { raw: 'name=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    415,
    'unsupported-media-type',
  ],
  ['an unknown route', ['GET', '/users/me/nothing'], 404, 'route-not-found'],
  ['an unknown route', ['GET', '/lists/a/b/c'], 404, 'route-not-found'],
  ['an unknown route', ['GET', '/notifications/nothing'], 404, 'route-not-found'],
  [
    'a broken Idempotency-Key',
    ['POST', '/lists', { body: { name: 'Key' }, headers: { 'idempotency-key': 'a b' } }],
    400,
    'bad-idempotency-key',
  ],
];

const accounts: Case[] = [
  ['an unknown field', register({ isAdmin: true }), 400, 'invalid-input', ''],
  ['roles given by oneself', register({ roles: ['admin'] }), 400, 'invalid-input', ''],
  ['no e-mail address', register({ email: undefined }), 400, 'invalid-input', 'email'],
  ['no such e-mail address', register({ email: 'ada@' }), 400, 'invalid-input', 'email'],
  ['a second recipient', register({ email: 'a@example.test, b@example.test' }), 400, 'invalid-input', 'email'],
  ['a long e-mail address', register({ email: `${'a'.repeat(250)}@b.de` }), 400, 'invalid-input', 'email'],
  ['a number as a password', register({ password: 12_345_678_901_234 }), 400, 'invalid-input', 'password'],
  ['a short password', register({ password: 'Sh0rt!' }), 400, 'invalid-input', 'password'],
  ['a long password', register({ password: 'a b'.repeat(50) }), 400, 'invalid-input', 'password'],
  ['a common password', register({ password: 'password1234' }), 400, 'invalid-input', 'password'],
  ['an empty name', register({ firstName: '  ' }), 400, 'invalid-input', 'firstName'],
  ['a long name', register({ lastName: 'x'.repeat(101) }), 400, 'invalid-input', 'lastName'],
  ['a line break in a name', register({ firstName: 'a\r\nBcc: b@example.test' }), 400, 'invalid-input', 'firstName'],
  ['NUL in a name', register({ firstName: 'a\u0000' }), 400, 'invalid-input', 'firstName'],
  ['a negative age', register({ age: -1 }), 400, 'invalid-input', 'age'],
  ['half a year', register({ age: 36.5 }), 400, 'invalid-input', 'age'],
  ['an age in words', register({ age: '36' }), 400, 'invalid-input', 'age'],
  ['a club in words', register({ clubMember: 'yes' }), 400, 'invalid-input', 'clubMember'],
  ['a language we do not speak', register({ language: 'tlh' }), 400, 'invalid-input', 'language'],
  ['an id that is no UUIDv7', register({ id: nobody }), 400, 'invalid-input', 'id'],
  ['an array', ['POST', '/users', sent([])], 400, 'invalid-input', ''],
  ['null', ['POST', '/users', sent(null)], 400, 'invalid-input', ''],
  ['a profile without names', ['PUT', '/users/me', sent({ age: 3 })], 400, 'invalid-input', 'firstName'],
  ['another e-mail address by PATCH', ['PATCH', '/users/me', sent({ email: 'a@b.de' })], 400, 'invalid-input', ''],
  ['no name by PATCH', ['PATCH', '/users/me', sent({ firstName: null })], 400, 'invalid-input', 'firstName'],
  ['login without a password', login({ email: 'a@example.test' }), 400, 'invalid-input', 'password'],
  ['a wrong password', login({ email: 'a@example.test', password: 'wrong' }), 401, 'invalid-credentials'],
  ['an object as an address', login({ email: { $ne: 1 }, password: 'x' }), 400, 'invalid-input', 'email'],
  ['no refresh token', ['POST', '/auth/refresh', sent({})], 400, 'invalid-input', 'refreshToken'],
  ['a false refresh token', ['POST', '/auth/refresh', sent({ refreshToken: 'x.y' })], 401, 'refresh-token-invalid'],
  ['validate without a token', ['POST', '/auth/validate', sent({})], 400, 'invalid-input', 'token'],
];

const lists: Case[] = [
  ['no name', newList({}), 400, 'invalid-input', 'name'],
  ['an empty name', newList({ name: '' }), 400, 'invalid-input', 'name'],
  ['a long name', newList({ name: 'x'.repeat(26) }), 400, 'invalid-input', 'name'],
  ['a number as a name', newList({ name: 7 }), 400, 'invalid-input', 'name'],
  ['an unknown field', newList({ name: 'a', ownerId: nobody }), 400, 'invalid-input', ''],
  ['a duplicate', newList({ name: 'Mine' }), 409, 'list-name-taken', 'name'],
  ['an unknown list', ['GET', `/lists/${nobody}`], 404, 'list-not-found'],
  ["somebody else's list", ['GET', ({ theirList }) => `/lists/${theirList}`], 404, 'list-not-found'],
  ["somebody else's list", ['DELETE', ({ theirList }) => `/lists/${theirList}`], 404, 'list-not-found'],
  ['an id that is none', ['GET', '/lists/1'], 400, 'invalid-input', ''],
  ['a limit too high', ['GET', '/lists?limit=201'], 400, 'invalid-input', 'limit'],
  ['a limit in words', ['GET', '/lists?limit=ten'], 400, 'invalid-input', 'limit'],
  ['an unknown parameter', ['GET', '/lists?page=2'], 400, 'invalid-input', ''],
  ['a bad cursor', ['GET', '/lists?cursor=zzz'], 400, 'bad-cursor'],
  ['a bad cursor', ['GET', '/notifications/deliveries?cursor=%F0%9F%92%A5'], 400, 'bad-cursor'],
];

const items: Case[] = [
  ['an empty name', newItem({ name: '' }), 400, 'invalid-input', 'name'],
  ['a long name', newItem({ name: 'x'.repeat(51) }), 400, 'invalid-input', 'name'],
  ['an unknown field', newItem({ name: 'a', done: true }), 400, 'invalid-input', ''],
  ['a duplicate', newItem({ name: 'Milk' }), 409, 'item-name-taken', 'name'],
  ['101 items', newItem(Array.from({ length: 101 }, (_, n) => ({ name: `${n}` }))), 400, 'too-many-items'],
  ['no items', newItem([]), 400, 'invalid-input', ''],
  ['a fault within an array', newItem([{ name: 'a' }, { name: 'b', priority: 4 }]), 400, 'invalid-input', '1.priority'],
  ['a date that does not exist', newItem({ name: 'a', due: '2030-02-30' }), 400, 'invalid-input', 'due'],
  ['a time without a zone', newItem({ name: 'a', due: '2030-02-01T10:00:00' }), 400, 'invalid-input', 'due'],
  ['too many labels', newItem({ name: 'a', labels: Array(21).fill('x') }), 400, 'invalid-input', 'labels'],
  ['long notes', newItem({ name: 'a', notes: 'x'.repeat(10_001) }), 400, 'invalid-input', 'notes'],
  ['an unknown list', ['POST', `/lists/${nobody}/items`, sent({ name: 'a' })], 404, 'list-not-found'],
  ["somebody else's list", ['GET', ({ theirList }) => `/lists/${theirList}/items`], 404, 'list-not-found'],
  [
    "somebody else's list",
    ['POST', ({ theirList }) => `/lists/${theirList}/items`, sent({ name: 'a' })],
    404,
    'list-not-found',
  ],
  ["somebody else's item", ['GET', ({ theirItem }) => `/items/${theirItem}`], 404, 'item-not-found'],
  [
    "somebody else's item",
    ['PATCH', ({ theirItem }) => `/items/${theirItem}`, sent({ completed: true })],
    404,
    'item-not-found',
  ],
  ['an unknown item', ['DELETE', `/items/${nobody}`], 404, 'item-not-found'],
  ['null as a name', ['PATCH', ({ item }) => `/items/${item}`, sent({ name: null })], 400, 'invalid-input', 'name'],
  ['a move behind nothing', ['POST', ({ item }) => `/items/${item}/move`, sent({})], 400, 'invalid-input', 'after'],
  ['a sort order that is none', ['GET', ({ list }) => `/lists/${list}/items?sort=x`], 400, 'invalid-input', 'sort'],
  ['maybe completed', ['GET', ({ list }) => `/lists/${list}/items?completed=x`], 400, 'invalid-input', 'completed'],
  ['a bad cursor', ['GET', ({ list }) => `/lists/${list}/items?cursor=W10`], 400, 'bad-cursor'],
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

  describe('anywhere', () => void it.each(anywhere)('%s: %j', check));
  describe('of accounts', () => void it.each(accounts)('%s: %j', check));
  describe('of lists', () => void it.each(lists)('%s: %j', check));
  describe('of items', () => void it.each(items)('%s: %j', check));

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
