import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidv7 } from '#libs/messaging';
import { user, register, type Replica, startReplica } from '../../test/replica.js';
import type { DeliveryView } from './deliveries.schemas.js';

let replica: Replica;
beforeAll(async () => {
  replica = await startReplica();
});
afterAll(() => replica.close());

const ask = (query = '', token?: string) =>
  fetch(`${replica.url}/api/v1/notifications/deliveries${query}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });

async function page(token: string, query = ''): Promise<{ items: DeliveryView[]; nextCursor: string | null }> {
  const response = await ask(query, token);
  expect(response.status).toBe(200);
  return (await response.json()) as { items: DeliveryView[]; nextCursor: string | null };
}

describe('GET /api/v1/notifications/deliveries', () => {
  it('shows the mails to the caller and nothing of their transport', async () => {
    const ada = user();
    await register(replica, ada);
    const { id } = await replica.delivery(ada.id, 'sent');
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(await page(await replica.issuer.token(ada.id))).toEqual({
      items: [{ id, template: 'welcome', state: 'sent', attempts: 1, createdAt: time, sentAt: time }],
      nextCursor: null,
    });
  });

  it('shows a stranger nothing', async () => {
    const ada = user();
    await register(replica, ada);
    await replica.delivery(ada.id, 'sent');
    expect(await page(await replica.issuer.token(uuidv7()))).toEqual({ items: [], nextCursor: null });
    expect(await page(await replica.issuer.token(uuidv7(), { roles: ['admin'] }))).toEqual({
      items: [],
      nextCursor: null,
    });
  });

  it('pages from the newest to the oldest', async () => {
    const ada = user();
    // No copy of the account: they stay pending.
    for (let i = 0; i < 5; i++) {
      await replica.sql(
        `INSERT INTO deliveries (event_id, template, user_id, event_time, due_at)
         VALUES ($1, 'welcome', $2, now(), now() + interval '1 h')`,
        [uuidv7(), ada.id],
      );
    }
    const token = await replica.issuer.token(ada.id);
    const all = (await page(token)).items.map(({ id }) => id);
    expect(all).toEqual([...all].sort().toReversed());
    const first = await page(token, '?limit=2');
    const second = await page(token, `?limit=2&cursor=${first.nextCursor}`);
    const third = await page(token, `?limit=2&cursor=${second.nextCursor}`);
    expect([first, second, third].flatMap(({ items }) => items.map(({ id }) => id))).toEqual(all);
    expect(third.nextCursor).toBeNull();
  });

  it.each([
    ['no token', '', () => undefined, 401, 'token-missing'],
    ['a malformed token', '', () => 'abc.def', 401, 'token-invalid'],
    ['a foreign token', '', () => replica.issuer.token(uuidv7(), {}, { foreign: true }), 401, 'token-invalid'],
    ['an expired token', '', () => replica.issuer.token(uuidv7(), { exp: 1 }), 401, 'token-expired'],
    ['limit 0', '?limit=0', () => replica.issuer.token(uuidv7()), 400, 'invalid-input'],
    ['limit 201', '?limit=201', () => replica.issuer.token(uuidv7()), 400, 'invalid-input'],
    ['a limit in words', '?limit=ten', () => replica.issuer.token(uuidv7()), 400, 'invalid-input'],
    ['an unknown parameter', '?state=dead', () => replica.issuer.token(uuidv7()), 400, 'invalid-input'],
    ['a made-up cursor', '?cursor=abc', () => replica.issuer.token(uuidv7()), 400, 'bad-cursor'],
    [
      'a cursor of another kind',
      `?cursor=${cursor({ id: 7 })}`,
      () => replica.issuer.token(uuidv7()),
      400,
      'bad-cursor',
    ],
    [
      'SQL in a cursor',
      `?cursor=${cursor({ id: `' OR 1=1` })}`,
      () => replica.issuer.token(uuidv7()),
      400,
      'bad-cursor',
    ],
    ['two cursors', '?cursor=a&cursor=b', () => replica.issuer.token(uuidv7()), 400, 'invalid-input'],
  ])('answers %s with a problem', async (_what, query, token, status, code) => {
    const response = await ask(query, await token());
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch('application/problem+json');
    expect(await response.json()).toMatchObject({ status, code });
  });

  it('is described by OpenAPI', async () => {
    const response = await fetch(`${replica.url}/api/v1/notifications/openapi.json`);
    const { paths } = (await response.json()) as { paths: Record<string, { get: { responses: object } }> };
    expect(paths['/api/v1/notifications/deliveries']?.get.responses).toMatchObject({
      200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/DeliveryPage' } } } },
    });
  });
});

function cursor(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
