import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Person, UsersFixture } from './users-fixture.js';

/** The answer of each route to another user; public routes are open to everybody. */
const routes: Record<string, 'open' | 'own account' | 'administrators'> = {
  'post /api/v1/users': 'open',
  'get /api/v1/users': 'administrators',
  'get /api/v1/users/me': 'own account',
  'put /api/v1/users/me': 'own account',
  'patch /api/v1/users/me': 'own account',
  'delete /api/v1/users/me': 'own account',
  'get /api/v1/users/{id}': 'administrators',
  'put /api/v1/users/{id}': 'administrators',
  'patch /api/v1/users/{id}': 'administrators',
  'delete /api/v1/users/{id}': 'administrators',
  'post /api/v1/auth/login': 'open',
  'post /api/v1/auth/refresh': 'open',
  'post /api/v1/auth/logout': 'own account',
  'post /api/v1/auth/validate': 'open',
  'get /.well-known/jwks.json': 'open',
  'get /.well-known/openid-configuration': 'open',
};

describe('authorization', () => {
  let fixture: UsersFixture;
  let ada: Person;
  let stranger: Person;

  beforeAll(async () => {
    fixture = await UsersFixture.start();
    [ada, stranger] = await Promise.all([fixture.person(), fixture.person()]);
  });
  afterAll(() => fixture.close());

  const call = (route: string, token?: string) => {
    const [method, path] = route.replace('{id}', ada.user.id).replace('/api/v1', '').split(' ');
    const body = method === 'get' || method === 'delete' ? undefined : {};
    return fixture.send(method!.toUpperCase(), path!, { token, body });
  };

  it('is decided for every route there is', async () => {
    const { body } = await fixture.send('GET', '/users/openapi.json');
    const found = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((m) => `${m} ${path}`),
    );
    expect(found.sort()).toEqual(Object.keys(routes).sort());
  });

  it.each(Object.keys(routes).filter((route) => routes[route] !== 'open'))('%s needs a token', async (route) => {
    const { status, body } = await call(route);
    expect([status, body.code]).toEqual([401, 'token-missing']);
  });

  it.each(Object.keys(routes).filter((route) => routes[route] === 'open'))('%s needs none', async (route) => {
    expect((await call(route)).status).not.toBe(401);
  });

  it.each(Object.keys(routes).filter((route) => routes[route] === 'administrators'))(
    '%s is closed to a stranger, for an account that exists and one that does not',
    async (route) => {
      for (const tried of [route, route.replace('{id}', '01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f')]) {
        const { status, body } = await call(tried, stranger.accessToken);
        expect([status, body.code]).toEqual([403, 'role-missing']);
      }
    },
  );

  it('lets a stranger do to their own account only', async () => {
    const { accessToken: token } = stranger;
    const profile = { firstName: 'Eve', lastName: 'Stranger' };
    expect((await fixture.send('PUT', '/users/me', { token, body: profile })).body.id).toBe(stranger.user.id);
    expect((await fixture.send('POST', '/auth/logout', { token })).status).toBe(204);
    const me = await fixture.send('GET', '/users/me', { token: ada.accessToken });
    expect(me.body).toEqual(ada.user);
  });
});
