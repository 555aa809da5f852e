import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hash } from '@node-rs/argon2';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { hold } from '../../test/hold.js';
import type { JsonAnswer } from '#libs/testing';
import { PASSWORD, type Person, UsersFixture } from '../../test/users-fixture.js';

const sessionOf = (accessToken: string) => decodeJwt(accessToken)['sid'] as string;

describe('sessions', () => {
  let fixture: UsersFixture;

  beforeAll(async () => {
    fixture = await UsersFixture.start();
  });
  afterAll(() => fixture.close());

  const refresh = (refreshToken: string) => fixture.send('POST', '/auth/refresh', { body: { refreshToken } });
  /** As if so many seconds had passed since the last refresh. */
  const age = (sessionId: string, seconds: number) =>
    fixture.dataSource.query(
      `UPDATE sessions SET rotated_at = rotated_at - make_interval(secs => $2), expires_at = expires_at - make_interval(secs => $2)
        WHERE id = $1`,
      [sessionId, seconds],
    );

  it('begin with a token by RFC 9068', async () => {
    const { user, ...answer } = await fixture.admin();
    expect(answer).toMatchObject({ tokenType: 'Bearer', expiresIn: 3600, refreshToken: expect.any(String) });
    const header = decodeProtectedHeader(answer.accessToken);
    expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    const claims = decodeJwt(answer.accessToken);
    expect(claims).toEqual({
      iss: 'http://tasklane',
      aud: 'tasklane',
      sub: user.id,
      sid: expect.any(String),
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: claims.iat! + 3600,
      scope: 'tasklane',
      roles: ['admin'],
    });
  });

  it('begin only with the right password, and the answer does not tell who has an account', async () => {
    const { email } = await fixture.register();
    const tries = [
      { email, password: 'wrong horse battery' },
      { email: 'nobody@example.com', password: PASSWORD },
    ];
    const answers = await Promise.all(tries.map((body) => fixture.send('POST', '/auth/login', { body })));
    const [one, other] = answers.map(({ status, body }) => ({ status, ...body, requestId: '' }));
    expect(one).toMatchObject({ status: 401, code: 'invalid-credentials' });
    expect(other).toEqual(one);
    expect((await fixture.login(` ${email.toUpperCase()} `)).accessToken).toBeDefined();
  });

  it('strengthen the stored hash at login when the cost has changed', async () => {
    const { id, email } = await fixture.register();
    const weak = await hash(PASSWORD, { memoryCost: 8192, timeCost: 1 });
    await fixture.dataSource.query('UPDATE users SET password_hash = $2 WHERE id = $1', [id, weak]);
    await fixture.login(email);
    const [row] = await fixture.dataSource.query('SELECT password_hash, version FROM users WHERE id = $1', [id]);
    expect(row).toEqual({ password_hash: expect.stringContaining('m=19456,t=2,p=1'), version: 1 });
    await fixture.login(email);
  });

  it('go on by refresh, again and again', async () => {
    const { accessToken, ...first } = await fixture.person();
    const second = await refresh(first.refreshToken);
    const third = await refresh(second.body.refreshToken);
    expect([second.status, third.status]).toEqual([200, 200]);
    expect(sessionOf(third.body.accessToken)).toBe(sessionOf(accessToken));
    expect(new Set([first.refreshToken, second.body.refreshToken, third.body.refreshToken]).size).toBe(3);
    expect((await fixture.send('GET', '/users/me', { token: third.body.accessToken })).status).toBe(200);
  });

  it('give a client whose answer was lost the same successor again', async () => {
    const { refreshToken } = await fixture.person();
    const first = await refresh(refreshToken);
    const again = await refresh(refreshToken);
    expect(again.status).toBe(200);
    expect(again.body.refreshToken).toBe(first.body.refreshToken);
  });

  it('give refreshes at the same moment the same successor', async () => {
    const { refreshToken } = await fixture.person();
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(refreshToken)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
    expect((await refresh(answers[0]!.body.refreshToken)).status).toBe(200);
  });

  it.each([
    ['the predecessor after 10 s', 1, 11],
    ['an older token at once', 2, 0],
  ])('end when somebody shows %s, for the thief and the owner alike', async (_case, rotations, seconds) => {
    const { user, accessToken, refreshToken: old } = await fixture.person();
    let latest = old;
    for (let count = 0; count < rotations; count++) latest = (await refresh(latest)).body.refreshToken;
    await age(sessionOf(accessToken), seconds);
    const reused = await refresh(old);
    expect([reused.status, reused.body.code]).toEqual([401, 'refresh-token-reused']);
    for (const token of [latest, old]) {
      const answer = await refresh(token);
      expect([answer.status, answer.body.code]).toEqual([401, 'refresh-token-invalid']);
    }
    const me = await fixture.send('GET', '/users/me', { token: accessToken });
    expect([me.status, me.body.code]).toEqual([401, 'token-revoked']);
    const { data } = (await fixture.events(user.id, 3)).find(({ type }) => type === 'session.revoked')!;
    expect(data).toMatchObject({ userId: user.id, sessionId: sessionOf(accessToken) });
    expect(Date.parse(data.forgetAt)).toBeGreaterThan(decodeJwt(accessToken).exp! * 1000);
  });

  it('do not end by a token that was only made up', async () => {
    const { accessToken, refreshToken } = await fixture.person();
    const sid = sessionOf(accessToken);
    const madeUp = [refreshToken.replace('.0.', '.1.'), `${sid}.0.${'A'.repeat(43)}`, 'nonsense', `${refreshToken}A`];
    for (const token of madeUp) {
      const answer = await refresh(token);
      expect([answer.status, answer.body.code]).toEqual([401, 'refresh-token-invalid']);
    }
    expect((await refresh(refreshToken)).status).toBe(200);
  });

  it('end by themselves when nobody refreshes them for REFRESH_TOKEN_TTL', async () => {
    const { accessToken, refreshToken } = await fixture.person();
    await age(sessionOf(accessToken), 30 * 86_400 + 1);
    expect((await refresh(refreshToken)).body.code).toBe('refresh-token-invalid');
  });

  it('live longer with every refresh', async () => {
    const { accessToken, refreshToken } = await fixture.person();
    await age(sessionOf(accessToken), 20 * 86_400);
    const { body } = await refresh(refreshToken);
    await age(sessionOf(accessToken), 20 * 86_400);
    expect((await refresh(body.refreshToken)).status).toBe(200);
  });

  it('end by logout, and only the one that was logged out', async () => {
    const { user, accessToken: token, refreshToken } = await fixture.person();
    const other = await fixture.login(user.email);
    expect((await fixture.send('POST', '/auth/logout', { token })).status).toBe(204);
    const again = await fixture.send('POST', '/auth/logout', { token });
    expect([again.status, again.body.code]).toEqual([401, 'token-revoked']);
    expect((await refresh(refreshToken)).body.code).toBe('refresh-token-invalid');
    expect((await fixture.send('GET', '/users/me', { token: other.accessToken })).status).toBe(200);
    expect((await fixture.events(user.id, 3)).filter(({ type }) => type === 'session.revoked')).toHaveLength(1);
  });

  it('leave nothing usable in the database', async () => {
    const { refreshToken } = await fixture.person();
    const { body } = await refresh(refreshToken);
    const rows = JSON.stringify(await fixture.dataSource.query('SELECT * FROM sessions'));
    for (const token of [refreshToken, body.refreshToken]) expect(rows).not.toContain(token.split('.').at(-1));
  });

  it('cannot begin while the account is being erased', async () => {
    const { user } = await fixture.person();
    const erasure = await hold(fixture.service.env.DATABASE_URL!, 'DELETE FROM users WHERE id = $1', [user.id]);
    const login = fixture.send('POST', '/auth/login', { body: { email: user.email, password: PASSWORD } });
    await erasure.waiting(1);
    await erasure.end();
    expect((await login).body.code).toBe('invalid-credentials');
  });

  it('judge a refresh by what another one, just at work, leaves behind', async () => {
    const { accessToken, refreshToken } = await fixture.person();
    const other = await hold(
      fixture.service.env.DATABASE_URL!,
      `UPDATE sessions SET generation = generation + 2 WHERE id = $1`,
      [sessionOf(accessToken)],
    );
    const late = refresh(refreshToken);
    await other.waiting(1);
    await other.end();
    expect((await late).body.code).toBe('refresh-token-reused');
  });
});

describe('sessions of an account', () => {
  let fixture: UsersFixture;

  beforeAll(async () => {
    fixture = await UsersFixture.start({ SESSIONS_PER_ACCOUNT: '3' });
  });
  afterAll(() => fixture.close());

  it('are so many at once: one more ends the one that was longest without a refresh, however many come together', async () => {
    const { user, ...first } = await fixture.person();
    const second = await fixture.login(user.email);
    const refreshed = await fixture.send('POST', '/auth/refresh', { body: { refreshToken: first.refreshToken } });
    await fixture.login(user.email);
    await fixture.login(user.email);
    const status = async (token: string) => (await fixture.send('GET', '/users/me', { token })).status;
    expect([await status(refreshed.body.accessToken), await status(second.accessToken)]).toEqual([200, 401]);
    await Promise.all(Array.from({ length: 8 }, () => fixture.login(user.email)));
    const query = 'SELECT count(*)::int AS n FROM sessions WHERE user_id = $1 AND revoked_at IS NULL';
    expect(await fixture.dataSource.query(query, [user.id])).toEqual([{ n: 3 }]);
  });
});

describe('sessions while Kafka is away', () => {
  let fixture: UsersFixture;

  beforeAll(async () => {
    fixture = await UsersFixture.start({ KAFKA_BROKERS: '127.0.0.1:1' });
  });
  afterAll(() => fixture.close());

  it.each<[string, (person: Person) => Promise<JsonAnswer>]>([
    ['logout', ({ accessToken: token }) => fixture.send('POST', '/auth/logout', { token })],
    ['erasure of the account', ({ accessToken: token }) => fixture.send('DELETE', '/users/me', { token })],
    [
      'reuse of a refresh token',
      async ({ refreshToken }) => {
        const refresh = (token: string) => fixture.send('POST', '/auth/refresh', { body: { refreshToken: token } });
        await refresh((await refresh(refreshToken)).body.refreshToken);
        return refresh(refreshToken);
      },
    ],
  ])('begin as ever and end by %s, on this replica at once', async (_case, end) => {
    const person = await fixture.person();
    await end(person);
    const me = await fixture.send('GET', '/users/me', { token: person.accessToken });
    expect([me.status, me.body.code]).toEqual([401, 'token-revoked']);
  });
});
