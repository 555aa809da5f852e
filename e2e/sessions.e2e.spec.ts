import { beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { Client, type Tokens } from './client.js';
import { expectProblem } from './expect-problem.js';
import { logIn, newPerson } from './people.js';
import { findTarget, type Target } from './target.js';

/** One route of each service that needs a token. */
const doors = ['/users/me', '/lists', '/notifications/deliveries'];

describe('sessions', () => {
  let target: Target;
  let nobody: Client;

  beforeAll(async () => {
    target = await findTarget();
    nobody = new Client(target.baseUrl);
  }, 150_000);

  const refresh = (refreshToken: string) => nobody.post<Tokens>('/auth/refresh', { refreshToken });
  const statuses = (api: Client) => Promise.all(doors.map(async (door) => (await api.get(door)).status));
  const expectShut = (api: Client) =>
    waitFor(async () => (await statuses(api)).every((status) => status === 401), { what: 'all services to refuse' });

  it('refresh gives a new pair that works everywhere', async () => {
    const { tokens } = await newPerson(target);
    const next = await refresh(tokens.refreshToken);
    expect(next).toMatchObject({ status: 200, body: { tokenType: 'Bearer', expiresIn: tokens.expiresIn } });
    expect(next.body.refreshToken).not.toBe(tokens.refreshToken);
    expect(await statuses(nobody.as(next.body.accessToken))).toEqual([200, 200, 200]);
  });

  it('a retry of a refresh gets the same successor, so that a lost answer does no harm', async () => {
    const { tokens } = await newPerson(target);
    const [one, other] = await Promise.all([refresh(tokens.refreshToken), refresh(tokens.refreshToken)]);
    expect([one.status, other.status]).toEqual([200, 200]);
    expect(one.body.refreshToken).toBe(other.body.refreshToken);
  });

  it('an older refresh token ends the session in all services', async () => {
    const { tokens } = await newPerson(target);
    const second = await refresh(tokens.refreshToken);
    const third = await refresh(second.body.refreshToken);
    expectProblem(await refresh(tokens.refreshToken), 401, 'refresh-token-reused');
    expectProblem(await refresh(third.body.refreshToken), 401, 'refresh-token-invalid');
    await expectShut(nobody.as(third.body.accessToken));
  });

  it('logout ends this session in all services, and no other', async () => {
    const person = await newPerson(target);
    const elsewhere = await logIn(nobody, person);
    expect(await statuses(person.api)).toEqual([200, 200, 200]);
    expect((await person.api.post('/auth/logout')).status).toBe(204);
    await expectShut(person.api);
    for (const door of doors) expectProblem(await person.api.get(door), 401, 'token-revoked');
    expectProblem(await refresh(person.tokens.refreshToken), 401, 'refresh-token-invalid');
    const { body } = await nobody.post('/auth/validate', { token: person.tokens.accessToken });
    expect(body).toEqual({ active: false });
    expect(await statuses(elsewhere.api)).toEqual([200, 200, 200]);
  });

  it('a wrong password and an unknown address get the same answer', async () => {
    const { email } = await newPerson(target);
    const wrong = await nobody.post('/auth/login', { email, password: 'not the password' });
    const unknown = await nobody.post('/auth/login', { email: `x${email}`, password: 'not the password' });
    expectProblem(wrong, 401, 'invalid-credentials');
    const { requestId: _one, ...answer } = wrong.body as unknown as Record<string, unknown>;
    expect(unknown.body).toMatchObject(answer);
  });

  it('validate tells a live token from anything else', async () => {
    const { user, tokens } = await newPerson(target);
    const validate = async (token: string) => (await nobody.post('/auth/validate', { token })).body;
    expect(await validate(tokens.accessToken)).toMatchObject({ active: true, sub: user.id, token_type: 'Bearer' });
    for (const token of ['', 'nonsense', tokens.refreshToken, `${tokens.accessToken}x`]) {
      expect(await validate(token)).toEqual({ active: false });
    }
  });

  it('the keys are public, and only their public halves', async () => {
    const answer = await nobody.get<{ keys: Record<string, string>[] }>('/.well-known/jwks.json');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toContain('public');
    expect(answer.body.keys.length).toBeGreaterThan(0);
    for (const key of answer.body.keys) {
      expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', kid: expect.any(String) });
      expect(Object.keys(key)).not.toContain('d');
    }
    const configuration = await nobody.get<{ jwks_uri: string }>('/.well-known/openid-configuration');
    expect(configuration.body.jwks_uri).toMatch(/\/\.well-known\/jwks\.json$/);
  });
});
