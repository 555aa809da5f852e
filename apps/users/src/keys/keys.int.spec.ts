import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { createDatabase, freePort, startApp, type TestApp, testKafka } from '#libs/testing';
import { hold } from '../../test/hold.js';
import { UsersFixture } from '../../test/users-fixture.js';
import { users } from '../service.js';

describe('signing keys', () => {
  let database: { url: string; drop: () => Promise<void> };
  let one: UsersFixture;
  let other: UsersFixture;

  const start = async (changes: Record<string, string> = {}) => ({
    DATABASE_URL: database.url,
    TOPIC_PREFIX: testKafka().topicPrefix,
    TOKEN_SECRET: 'one secret for all replicas of it',
    PUBLIC_URL: 'https://tasklane.example.com/',
    GRPC_PORT: String(await freePort()),
    ...changes,
  });

  beforeAll(async () => {
    database = await createDatabase();
    const env = await start();
    // Held until both replicas are about to look whether there is a key.
    const gate = await hold(database.url, `SELECT pg_advisory_xact_lock(hashtext('tasklane.signing-keys'))`);
    const starting = Promise.all([UsersFixture.start(env), UsersFixture.start({ ...env, ...(await start()) })]);
    await gate.waiting(2);
    await gate.end();
    [one, other] = await starting;
  });
  afterAll(async () => {
    await Promise.all([one.close(), other.close()]);
    await database.drop();
  });

  it('are one between replicas that start at once', async () => {
    const [first, second] = await Promise.all([one, other].map((f) => f.send('GET', '/.well-known/jwks.json')));
    expect(first!.body.keys).toHaveLength(1);
    expect(second!.body).toEqual(first!.body);
    const { accessToken } = await one.person();
    expect((await other.send('GET', '/users/me', { token: accessToken })).status).toBe(200);
  });

  it('are published for anybody to check tokens with, and may be kept for five minutes', async () => {
    const { headers, body } = await one.send('GET', '/.well-known/jwks.json');
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    const members = ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'];
    expect(body.keys.map((key: object) => Object.keys(key).sort())).toEqual([members]);
    const { user, accessToken } = await one.person();
    const { payload } = await jwtVerify(accessToken, createLocalJWKSet(body), {
      issuer: 'http://tasklane',
      audience: 'tasklane',
      typ: 'at+jwt',
    });
    expect(payload.sub).toBe(user.id);
  });

  it.each(['/.well-known/jwks.json', '/.well-known/openid-configuration', '/users/openapi.json', '/openapi.json'])(
    'may be revalidated, as may descriptions of the API: %s',
    async (path) => {
      const { status, headers } = await one.send('GET', path);
      expect([status, headers.get('cache-control'), headers.get('vary')]).toEqual([200, 'public, max-age=300', null]);
      const again = await one.send('GET', path, { headers: { 'if-none-match': headers.get('etag')! } });
      expect([again.status, again.headers.get('etag')]).toEqual([304, headers.get('etag')]);
    },
  );

  it('are found through the OpenID configuration', async () => {
    const { body } = await one.send('GET', '/.well-known/openid-configuration');
    expect(body).toEqual({
      issuer: 'http://tasklane',
      jwks_uri: 'https://tasklane.example.com/.well-known/jwks.json',
      id_token_signing_alg_values_supported: ['ES256'],
    });
  });

  it('stand in the database encrypted only', async () => {
    const [row] = await one.dataSource.query('SELECT * FROM signing_keys');
    expect(row.public_jwk).not.toHaveProperty('d');
    // What every P-256 key in PKCS #8 holds: the object identifier of the curve.
    expect(row.sealed_private_key.includes(Buffer.from('2a8648ce3d030107', 'hex'))).toBe(false);
  });

  it('sign as current, and check as next and retired too', async () => {
    const before = await one.person();
    await one.dataSource.query(`UPDATE signing_keys SET state = 'retired'`);
    let third: TestApp | undefined;
    try {
      third = await startApp(users, await start());
      const { keys } = (await (await fetch(`${third.url}/.well-known/jwks.json`)).json()) as { keys: unknown[] };
      expect(keys).toHaveLength(2);
      const me = await fetch(`${third.url}/api/v1/users/me`, {
        headers: { authorization: `Bearer ${before.accessToken}` },
      });
      expect(me.status).toBe(200);
    } finally {
      await third?.close();
    }
  });

  it('are known to every replica as soon as one signs with them, whatever made-up ones came before', async () => {
    const { accessToken } = await one.person();
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'made up' })).toString('base64url');
    const madeUp = `${header}${accessToken.slice(accessToken.indexOf('.'))}`;
    expect((await other.send('GET', '/users/me', { token: madeUp })).body.code).toBe('token-invalid');
    await one.dataSource.query(`UPDATE signing_keys SET state = 'retired'`);
    const third = await UsersFixture.start(await start());
    try {
      const { accessToken: token } = await third.person();
      const answers = await Promise.all(Array.from({ length: 20 }, () => other.send('GET', '/users/me', { token })));
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    } finally {
      await third.close();
    }
  });

  it('outlive a change of TOKEN_SECRET, with the sessions, once replicas have had both', async () => {
    const NEXT = 'the secret that comes after the first';
    const former = await one.person();
    const replica = async (TOKEN_SECRET: string) => UsersFixture.start(await start({ TOKEN_SECRET }));
    const refresh = async (fixture: UsersFixture, refreshToken: string) =>
      (await fixture.send('POST', '/auth/refresh', { body: { refreshToken } })).body as { refreshToken: string };
    const both = await replica(`${NEXT}, one secret for all replicas of it`);
    const { refreshToken } = await refresh(both, former.refreshToken);
    await both.close();
    const next = await replica(NEXT);
    expect(await refresh(next, refreshToken)).toHaveProperty('accessToken');
    const { status } = await next.send('GET', '/users/me', { token: former.accessToken });
    await next.close();
    expect(status).toBe(200);
  });

  it('do not open with another TOKEN_SECRET, which stops the start and says why', async () => {
    const env = await start({ TOKEN_SECRET: 'another secret that does not fit!' });
    await expect(startApp(users, env)).rejects.toThrow(/1 setting is wrong:\n {2}TOKEN_SECRET: is not the one/);
  });
});
