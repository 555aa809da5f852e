import { beforeAll, describe, expect, it } from '@jest/globals';
import { MailboxClient, waitFor } from '#libs/testing';
import { Client, type Page, type User } from './client.js';
import { expectProblem } from './expect-problem.js';
import { findAdmin, newPerson, type Person, registration } from './people.js';
import { findTarget, type Target } from './target.js';

describe('profiles', () => {
  let target: Target;
  let nobody: Client;
  let ada: Person;

  beforeAll(async () => {
    target = await findTarget();
    nobody = new Client(target.baseUrl);
    ada = await newPerson(target, { age: 36, clubMember: true });
  }, 150_000);

  it('PUT replaces the whole profile: what is left out gets its default', async () => {
    const answer = await ada.api.put<User>('/users/me', { firstName: 'Augusta', lastName: 'King' });
    const profile = { firstName: 'Augusta', lastName: 'King', age: null, clubMember: false, language: 'en' };
    expect(answer).toMatchObject({ status: 200, body: { ...profile, id: ada.user.id, email: ada.email } });
    expect((await ada.api.get<User>('/users/me')).body).toEqual(answer.body);
  });

  it('PATCH changes what is given, null removes it', async () => {
    await ada.api.patch('/users/me', { age: 28, clubMember: true });
    const answer = await ada.api.patch<User>(
      '/users/me',
      { age: null },
      { headers: { 'content-type': 'application/merge-patch+json' } },
    );
    expect(answer).toMatchObject({ status: 200, body: { firstName: 'Augusta', age: null, clubMember: true } });
  });

  it('every change counts the version on, none does not', async () => {
    const { body: before } = await ada.api.get<User>('/users/me');
    const same = await ada.api.patch<User>('/users/me', { firstName: before.firstName });
    expect(same.body).toEqual(before);
    const other = await ada.api.patch<User>('/users/me', { firstName: 'Ada' });
    expect(other.body.version).toBe(before.version + 1);
    expect(other.body.updatedAt > before.updatedAt).toBe(true);
  });

  it('e-mail addresses are compared without case, and names may be in any script', async () => {
    const person = registration({ firstName: '静香', lastName: 'Ødegård-Şahin' });
    const shouted = { ...person, email: ` ${person.email.toUpperCase()} ` };
    expect(await nobody.post<User>('/users', shouted)).toMatchObject({
      status: 201,
      body: { email: person.email, firstName: '静香', lastName: 'Ødegård-Şahin' },
    });
    expectProblem(await nobody.post('/users', person), 409, 'email-taken');
    const { email, password } = shouted;
    expect((await nobody.post('/auth/login', { email, password })).status).toBe(200);
  });

  it('DELETE erases the account with its lists; its tokens end, and the address is free again', async () => {
    const gone = await newPerson(target);
    const { body: list } = await gone.api.post<{ id: string }>('/lists', { name: 'Last' });
    expect((await gone.api.delete('/users/me')).status).toBe(204);
    await waitFor(async () => (await gone.api.get(`/lists/${list.id}`)).status === 401, { what: 'todos to refuse' });
    expectProblem(await gone.api.get('/users/me'), 401, 'token-revoked');
    const { email, password } = gone;
    expectProblem(await nobody.post('/auth/login', { email, password }), 401, 'invalid-credentials');
    expectProblem(await nobody.post('/auth/refresh', gone.tokens), 400, 'invalid-input');
    const { refreshToken } = gone.tokens;
    expectProblem(await nobody.post('/auth/refresh', { refreshToken }), 401, 'refresh-token-invalid');
    const again = await nobody.post<User>('/users', registration({ email }));
    expect(again.status).toBe(201);
    expect(again.body.id).not.toBe(gone.user.id);
  });

  it('somebody who was erased at once gets at most the one welcome mail', async () => {
    const mailbox = new MailboxClient(target.mailboxUrl);
    const gone = await newPerson(target);
    await gone.api.delete('/users/me');
    const other = await newPerson(target);
    await mailbox.waitForMail(other.email);
    expect((await mailbox.list(gone.email)).length).toBeLessThanOrEqual(1);
  });

  describe('of others, for an admin', () => {
    let admin: Person | undefined;
    beforeAll(async () => {
      admin = await findAdmin(target);
    });

    /** Runs only where the target names an admin; the refusals to everybody else are in routes.e2e.spec.ts. */
    const forAdmin = (test: (admin: Person) => Promise<void>) => async () => {
      if (admin) await test(admin);
      else process.stderr.write('an admin route is not tested, as ADMIN_EMAIL is unset\n');
    };

    it(
      'has the role in the profile',
      forAdmin(async ({ user }) => {
        expect(user.roles).toEqual(['admin']);
      }),
    );

    it(
      'GET lists all accounts in pages',
      forAdmin(async ({ api }) => {
        await newPerson(target);
        const seen = new Set<string>();
        let cursor: string | null = null;
        do {
          const query: string = cursor ? `?limit=200&cursor=${cursor}` : '?limit=200';
          const page: { status: number; body: Page<User> } = await api.get<Page<User>>(`/users${query}`);
          expect(page.status).toBe(200);
          for (const { id } of page.body.items) {
            expect(seen).not.toContain(id);
            seen.add(id);
          }
          cursor = page.body.nextCursor;
        } while (cursor);
        expect(seen).toContain(ada.user.id);
        const first = await api.get<Page<User>>('/users?limit=1');
        expect(first.body).toMatchObject({ items: [{ id: [...seen][0] }], nextCursor: expect.any(String) });
      }),
    );

    it(
      'GET, PUT, PATCH and DELETE one',
      forAdmin(async ({ api }) => {
        const { user, api: own } = await newPerson(target);
        const path = `/users/${user.id}`;
        expect(await api.get<User>(path)).toMatchObject({ status: 200, body: user });
        const put = await api.put<User>(path, { firstName: 'New', lastName: 'Name' });
        expect(put).toMatchObject({ status: 200, body: { firstName: 'New', age: null } });
        const patch = await api.patch<User>(path, { age: 50 }, { headers: { 'if-match': put.headers.get('etag')! } });
        expect(patch).toMatchObject({ status: 200, body: { firstName: 'New', age: 50 } });
        expect((await own.get<User>('/users/me')).body).toEqual(patch.body);
        expect((await api.delete(path)).status).toBe(204);
        expectProblem(await api.get(path), 404, 'user-not-found');
        expectProblem(await api.delete(path), 404, 'user-not-found');
        await waitFor(async () => (await own.get('/lists')).status === 401, { what: 'the token to end' });
      }),
    );
  });
});
