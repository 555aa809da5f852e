import { beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { serviceNames } from '../scripts/services.js';
import { badTokens } from './bad-tokens.js';
import { Client, type Item, type List, type Page, type Problem } from './client.js';
import { expectProblem } from './expect-problem.js';
import { newPerson, type Person } from './people.js';
import { findTarget, type Target } from './target.js';

interface Route {
  service: string;
  method: string;
  /** With parameters in braces. */
  path: string;
}

/** Routes that need no token. */
const open = [
  'POST /api/v1/users',
  'POST /api/v1/auth/login',
  'POST /api/v1/auth/refresh',
  'POST /api/v1/auth/validate',
  'GET /.well-known/jwks.json',
  'GET /.well-known/openid-configuration',
];

/** A valid body for every route with an id that takes one: an invalid one would be refused for that. */
const bodies: { [route: string]: unknown } = {
  'PUT /api/v1/users/{id}': { firstName: 'A', lastName: 'Stranger' },
  'PATCH /api/v1/users/{id}': { firstName: 'A' },
  'PATCH /api/v1/lists/{id}': { name: 'Taken over' },
  'POST /api/v1/lists/{listId}/items': { name: 'Left behind' },
  'PATCH /api/v1/items/{id}': { name: 'Taken over' },
  'POST /api/v1/items/{id}/move': { after: null },
};

const nameOf = ({ method, path }: Route) => `${method} ${path}`;

// The routes come from the services' own descriptions, so that none can be forgotten here.
describe('every route', () => {
  let target: Target;
  let nobody: Client;
  let owner: Person;
  let stranger: Person;
  let list: List;
  let item: Item;
  let notification: { id: string };
  let routes: Route[];

  beforeAll(async () => {
    target = await findTarget();
    nobody = new Client(target.baseUrl);
    [owner, stranger] = [await newPerson(target), await newPerson(target)];
    const { id } = (await owner.api.post<List>('/lists', { name: 'Private' })).body;
    item = (await owner.api.post<Item>(`/lists/${id}/items`, { name: 'Secret' })).body;
    list = (await owner.api.get<List>(`/lists/${id}`)).body;
    notification = await waitFor(
      async () => (await owner.api.get<Page<{ id: string }>>('/notifications')).body.items[0],
    );
    routes = (await Promise.all(serviceNames.map(routesOf))).flat();
  }, 150_000);

  async function routesOf(service: string): Promise<Route[]> {
    const { body, status } = await nobody.get<{ paths: Record<string, object> }>(`/${service}/openapi.json`);
    expect(status).toBe(200);
    return Object.entries(body.paths)
      .flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => ({ service, method: method.toUpperCase(), path })),
      )
      .filter(({ path }) => !/^\/(livez|readyz|startupz)$/.test(path));
  }

  const call = (api: Client, route: Route) => {
    const path = route.path
      .replace('/users/{id}', `/users/${owner.user.id}`)
      .replace(/\/lists\/\{(id|listId)\}/, `/lists/${list.id}`)
      .replace('/items/{id}', `/items/${item.id}`)
      .replace('/notifications/{id}', `/notifications/${notification.id}`);
    expect(path).not.toContain('{');
    return api.send<Problem>(route.method, path, { body: bodies[nameOf(route)] });
  };
  const guarded = () => routes.filter((route) => !open.includes(nameOf(route)));

  it('is known', () => {
    const known = routes.map(nameOf);
    for (const route of open) expect(known).toContain(route);
    for (const service of serviceNames) {
      expect(guarded().filter((route) => route.service === service)).not.toEqual([]);
    }
  });

  it('wants a token', async () => {
    for (const route of guarded()) {
      const answer = await call(nobody, route);
      expect({ route: nameOf(route), status: answer.status }).toEqual({ route: nameOf(route), status: 401 });
      expectProblem(answer, 401, 'token-missing');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });

  it('takes no false token', async () => {
    const bad = await badTokens(nobody, owner.tokens.accessToken);
    for (const [name, token] of bad) {
      for (const route of guarded()) {
        const { status, body } = await call(nobody.as(token), route);
        const seen = { token: name, route: nameOf(route), status, code: body.code };
        expect(seen).toEqual({ ...seen, status: 401, code: expect.stringMatching(/^token-(invalid|expired)$/) });
      }
    }
  });

  it('takes a token only as a bearer token', async () => {
    const { accessToken } = owner.tokens;
    for (const authorization of [accessToken, `Basic ${accessToken}`, 'Bearer', 'Bearer ']) {
      expectProblem(await nobody.get('/lists', { headers: { authorization } }), 401, 'token-missing');
    }
    expectProblem(await nobody.get(`/users/me?access_token=${accessToken}`), 401, 'token-missing');
  });

  it("with an id does not know what is somebody else's, or is for admins", async () => {
    const withId = guarded().filter(({ path }) => path.includes('{'));
    expect(withId.length).toBeGreaterThan(9);
    for (const route of withId) {
      const { status, body } = await call(stranger.api, route);
      const admins = route.path.startsWith('/api/v1/users');
      const seen = { route: nameOf(route), status, code: body.code };
      const refusal = admins
        ? { status: 403, code: 'role-missing' }
        : { status: 404, code: expect.stringMatching(/-not-found$/) };
      expect(seen).toEqual({ ...seen, ...refusal });
    }
    const all = await stranger.api.get('/users');
    expectProblem(all, 403, 'role-missing');
  });

  it("without an id shows nothing of somebody else's", async () => {
    for (const route of guarded().filter(({ path, method }) => method === 'GET' && !path.includes('{'))) {
      const { body } = await call(stranger.api, route);
      const text = JSON.stringify(body);
      for (const secret of [owner.user.id, owner.email, list.id, item.id, notification.id])
        expect(text).not.toContain(secret);
    }
  });

  it('has left everything as it was', async () => {
    expect((await owner.api.get('/users/me')).body).toEqual(owner.user);
    expect((await owner.api.get(`/lists/${list.id}`)).body).toEqual(list);
    const page = await owner.api.get<Page<Item>>(`/lists/${list.id}/items`);
    expect(page.body.items).toEqual([item]);
    expect((await owner.api.get('/notifications/unread-count')).body).toEqual({ unread: 1 });
  });

  it('is described with its errors', async () => {
    const { body } = await nobody.get<{ openapi: string; components: { schemas: object } }>('/openapi.json');
    expect(body).toMatchObject({ openapi: expect.stringMatching(/^3\.1/), components: { schemas: { Problem: {} } } });
  });

  it('is in the one document of the whole API, which has a page', async () => {
    const { body } = await nobody.get<{ paths: Record<string, object> }>('/openapi.json');
    const whole = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(whole.toSorted()).toEqual(routes.map(nameOf).toSorted());
    const page = await nobody.get<string>('/docs');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/html/)]);
    expect(page.body).toContain(`url: '/api/v1/openapi.json'`);
    const script = await nobody.get<string>('/docs/swagger-ui-bundle.js');
    expect([script.status, script.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^text\/javascript/),
    ]);
  });
});
