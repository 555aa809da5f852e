import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KafkaClient, waitFor } from '#libs/testing';
import { newUser, PASSWORD, type Person, UsersFixture } from '../../test/users-fixture.js';

describe('accounts', () => {
  let fixture: UsersFixture;
  let admin: Person;

  beforeAll(async () => {
    fixture = await UsersFixture.start();
    admin = await fixture.admin();
  });
  afterAll(() => fixture.close());

  it('registers somebody and tells the others', async () => {
    const email = `  ${randomUUID()}@EXAMPLE.com `;
    const input = newUser({ email, age: 36, clubMember: true, language: 'de', firstName: ' Ada\u0301 ' });
    const { status, headers, body } = await fixture.send('POST', '/users', { body: input });
    expect(status).toBe(201);
    const { id } = body;
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      email: email.trim().toLowerCase(),
      firstName: 'Ad\u00e1',
      lastName: 'Lovelace',
      age: 36,
      clubMember: true,
      language: 'de',
      roles: [],
      createdAt: expect.stringMatching(/^20.*Z$/),
      updatedAt: body.createdAt,
      version: 1,
    });
    expect(headers.get('location')).toBe(`/api/v1/users/${id}`);
    expect(headers.get('etag')).toBe('"1"');
    const events = await fixture.events(id, 2);
    expect(events).toContainEqual({ type: 'user.changed', key: id, data: body });
    expect(events).toContainEqual({ type: 'user.registered', key: id, data: { userId: id } });
  });

  it('fills in what was left out', async () => {
    const { age, clubMember, language } = await fixture.register();
    expect({ age, clubMember, language }).toEqual({ age: null, clubMember: false, language: 'en' });
  });

  it('registers an address once, however it is written and however many try at once', async () => {
    const email = `${randomUUID()}@example.com`;
    const spellings = [email, email.toUpperCase(), ` ${email}`, email];
    const answers = await Promise.all(
      spellings.map((spelling) => fixture.send('POST', '/users', { body: newUser({ email: spelling }) })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)!.body.code).toBe('email-taken');
  });

  it('registers once under an Idempotency-Key and keeps no password by it', async () => {
    const body = newUser({ password: 'a passphrase nobody else has' });
    const headers = { 'Idempotency-Key': randomUUID() };
    const first = await fixture.send('POST', '/users', { body, headers });
    const again = await fixture.send('POST', '/users', { body, headers });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const other = await fixture.send('POST', '/users', { body: { ...body, firstName: 'Eve' }, headers });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency-key-reused']);
    const kept = await fixture.dataSource.query('SELECT * FROM idempotency_keys');
    expect(JSON.stringify(kept)).not.toContain(body.password);
  });

  it('keeps nothing of somebody erased under their Idempotency-Key', async () => {
    const body = newUser();
    const headers = { 'Idempotency-Key': randomUUID() };
    const { id } = (await fixture.send('POST', '/users', { body, headers })).body;
    const { accessToken: token } = await fixture.login(body.email);
    await fixture.send('DELETE', '/users/me', { token });
    expect(
      await fixture.dataSource.query('SELECT key FROM idempotency_keys WHERE answer::text LIKE $1', [`%${id}%`]),
    ).toEqual([]);
    const again = await fixture.send('POST', '/users', { body, headers });
    expect(again.headers.has('idempotency-replayed')).toBe(false);
    expect(again.body.id).not.toBe(id);
  });

  it('never shows a password or its hash, and stores it as argon2id', async () => {
    const { user, accessToken } = await fixture.person();
    const answers = await Promise.all([
      fixture.send('GET', '/users/me', { token: accessToken }),
      fixture.send('GET', `/users/${user.id}`, { token: admin.accessToken }),
      fixture.send('GET', '/users?limit=200', { token: admin.accessToken }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const told = JSON.stringify([answers.map(({ body }) => body), await fixture.events(user.id, 2)]);
    expect(told).not.toMatch(/password|argon2/i);
    const [row] = await fixture.dataSource.query('SELECT password_hash FROM users WHERE id = $1', [user.id]);
    expect(row.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  it('replaces a profile: what is left out gets its default', async () => {
    const { user, accessToken: token } = await fixture.person({ age: 36, clubMember: true, language: 'de' });
    const { status, body, headers } = await fixture.send('PUT', '/users/me', {
      token,
      body: { firstName: 'Grace', lastName: 'Hopper' },
    });
    expect([status, headers.get('etag')]).toEqual([200, '"2"']);
    const replaced = { firstName: 'Grace', lastName: 'Hopper', age: null, clubMember: false, language: 'en' };
    expect(body).toEqual({ ...user, ...replaced, version: 2, updatedAt: body.updatedAt });
    expect(body.updatedAt > user.updatedAt).toBe(true);
    expect((await fixture.events(user.id, 3)).filter(({ type }) => type === 'user.changed').at(-1)!.data).toEqual(body);
  });

  it('patches a profile: what is left out stays, null brings back the default', async () => {
    const { user, accessToken: token } = await fixture.person({ age: 36, clubMember: true, language: 'de' });
    const { body } = await fixture.send('PATCH', '/users/me', {
      token,
      body: { age: 37, language: null },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect(body).toEqual({ ...user, age: 37, language: 'en', version: 2, updatedAt: body.updatedAt });
    const cleared = await fixture.send('PATCH', '/users/me', { token, body: { age: null, clubMember: null } });
    expect(cleared.body).toMatchObject({ age: null, clubMember: false, version: 3 });
  });

  it('writes and tells nothing when nothing changes', async () => {
    const { user, accessToken: token } = await fixture.person();
    const { body } = await fixture.send('PATCH', '/users/me', { token, body: { firstName: user.firstName } });
    expect(body).toEqual(user);
    await fixture.send('PATCH', '/users/me', { token, body: { firstName: 'Grace' } });
    expect((await fixture.events(user.id, 3)).map(({ data }) => data.version).filter(Boolean)).toEqual([1, 2]);
  });

  it('expires what others cached of somebody who changed, and nothing else', async () => {
    const { user, accessToken: token } = await fixture.person();
    const { user: other } = await fixture.person();
    for (const firstName of [user.firstName, 'Grace']) {
      await fixture.send('PATCH', '/users/me', { token, body: { firstName } });
    }
    const { TOPIC_PREFIX, KAFKA_BROKERS } = fixture.service.env;
    const expired = async () => {
      const events = await new KafkaClient(KAFKA_BROKERS!).readAll(`${TOPIC_PREFIX}.cache`);
      const ofBoth = events.filter(({ key }) => [user.id, other.id].includes(key));
      return ofBoth.map(({ headers, value }) => [headers.ce_type, JSON.parse(String(value))]);
    };
    const once = ['cache.expired', { userId: user.id }];
    await waitFor(async () => (await expired()).length > 0);
    await fixture.send('DELETE', '/users/me', { token });
    await waitFor(async () => (await expired()).length > 1);
    expect(await expired()).toEqual([once, once]);
  });

  it('refuses an edit of a state that is no longer present, and shows the present one', async () => {
    const { accessToken: token } = await fixture.person();
    const current = (await fixture.send('PATCH', '/users/me', { token, body: { age: 1 } })).body;
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const body = method === 'DELETE' ? undefined : { firstName: 'Late', lastName: 'Comer' };
      const answer = await fixture.send(method, '/users/me', { token, body, headers: { 'If-Match': '"1"' } });
      expect([answer.status, answer.body.code]).toEqual([412, 'version-conflict']);
      expect(answer.body.current).toEqual(current);
    }
    const headers = { 'If-Match': '"2"' };
    expect((await fixture.send('PATCH', '/users/me', { token, body: { age: 2 }, headers })).status).toBe(200);
  });

  it('answers 304 while nothing changed', async () => {
    const { accessToken: token } = await fixture.person();
    const { status } = await fixture.send('GET', '/users/me', { token, headers: { 'If-None-Match': '"1"' } });
    expect(status).toBe(304);
  });

  it('puts the events of edits at once in the order of their versions', async () => {
    const { user, accessToken: token } = await fixture.person();
    const ages = Array.from({ length: 20 }, (_, age) => age);
    await Promise.all(ages.map((age) => fixture.send('PATCH', '/users/me', { token, body: { age } })));
    const events = await fixture.events(user.id, 22);
    const versions = events.filter(({ type }) => type === 'user.changed').map(({ data }) => data.version);
    expect(versions).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
  });

  it('erases an account: sessions end, the copies get a tombstone, the address is free again', async () => {
    const { user, accessToken: token, refreshToken } = await fixture.person();
    const second = await fixture.login(user.email);
    expect((await fixture.send('DELETE', '/users/me', { token })).status).toBe(204);
    for (const gone of [token, second.accessToken]) {
      const answer = await fixture.send('GET', '/users/me', { token: gone });
      expect([answer.status, answer.body.code]).toEqual([401, 'token-revoked']);
    }
    const refreshed = await fixture.send('POST', '/auth/refresh', { body: { refreshToken } });
    expect([refreshed.status, refreshed.body.code]).toEqual([401, 'refresh-token-invalid']);
    const events = await fixture.events(user.id, 5);
    expect(events.filter(({ type }) => type === 'session.revoked')).toHaveLength(2);
    expect(events.filter(({ data }) => data === null)).toEqual([{ type: 'user.erased', key: user.id, data: null }]);
    const [left] = await fixture.dataSource.query('SELECT count(*)::int AS n FROM sessions WHERE user_id = $1', [
      user.id,
    ]);
    expect(left.n).toBe(0);
    await fixture.register({ email: user.email });
  });

  describe('to an administrator', () => {
    it('shows all accounts, page by page', async () => {
      await Promise.all([fixture.register(), fixture.register(), fixture.register()]);
      const seen: string[] = [];
      for (let cursor: string | null = null, first = true; first || cursor; first = false) {
        const query = cursor === null ? '' : `&cursor=${cursor}`;
        const { body } = await fixture.send('GET', `/users?limit=2${query}`, { token: admin.accessToken });
        expect(body.items.length).toBeLessThanOrEqual(2);
        seen.push(...body.items.map(({ id }: { id: string }) => id));
        cursor = body.nextCursor as string | null;
      }
      const all = await fixture.dataSource.query<{ id: string }[]>('SELECT id FROM users ORDER BY id');
      expect(seen).toEqual(all.map(({ id }) => id));
    });

    it('lets them read, replace, patch and erase one', async () => {
      const user = await fixture.register();
      const { accessToken: token } = admin;
      const path = `/users/${user.id}`;
      expect((await fixture.send('GET', path, { token })).body).toEqual(user);
      const profile = { firstName: 'Grace', lastName: 'Hopper' };
      expect((await fixture.send('PUT', path, { token, body: profile })).body).toMatchObject(profile);
      expect((await fixture.send('PATCH', path, { token, body: { age: 40 } })).body).toMatchObject({
        age: 40,
        version: 3,
      });
      expect((await fixture.send('DELETE', path, { token })).status).toBe(204);
      expect((await fixture.send('GET', path, { token })).body.code).toBe('user-not-found');
      const login = await fixture.send('POST', '/auth/login', { body: { email: user.email, password: PASSWORD } });
      expect(login.status).toBe(401);
    });

    it('is the role of whom an operator gave it, and of nobody else', async () => {
      expect(admin.user.roles).toEqual(['admin']);
      const { accessToken: token } = await fixture.person();
      const answer = await fixture.send('PATCH', '/users/me', { token, body: { roles: ['admin'] } });
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid-input']);
    });
  });
});
