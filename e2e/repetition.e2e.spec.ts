import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { MailboxClient, waitFor } from '#libs/testing';
import { Client, type Item, type List, type Page, type User } from './client.js';
import { expectProblem } from './expect-problem.js';
import { newPerson, type Person, registration } from './people.js';
import { findTarget, type Target } from './target.js';

const withKey = (key: string = randomUUID()) => ({ headers: { 'idempotency-key': key } });
const ifMatch = (etag: string | null) => ({ headers: { 'if-match': etag! } });

describe('repeated and concurrent requests', () => {
  let target: Target;
  let nobody: Client;
  let person: Person;
  let list: List;

  beforeAll(async () => {
    target = await findTarget();
    nobody = new Client(target.baseUrl);
    person = await newPerson(target);
    list = (await person.api.post<List>('/lists', { name: 'Again' })).body;
  }, 150_000);

  describe('Idempotency-Key', () => {
    it('a repeated registration makes one account and one mail', async () => {
      const [input, key] = [registration(), withKey()];
      const first = await nobody.post<User>('/users', input, key);
      const again = await nobody.post<User>('/users', input, key);
      expect([first.status, again.status]).toEqual([201, 201]);
      expect(again.body).toEqual(first.body);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      const mailbox = new MailboxClient(target.mailboxUrl);
      await mailbox.waitForMail(input.email);
      expect(await mailbox.list(input.email)).toHaveLength(1);
    });

    it('ten requests at once happen once', async () => {
      const key = withKey();
      const path = `/lists/${list.id}/items`;
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => person.api.post<Item>(path, { name: 'Ten' }, key)),
      );
      for (const { status } of answers) expect([201, 409]).toContain(status);
      const made = answers.filter(({ status }) => status === 201);
      expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
      for (const answer of answers.filter(({ status }) => status === 409)) {
        expectProblem(answer, 409, 'idempotency-in-flight');
        expect(answer.headers.get('retry-after')).not.toBeNull();
      }
      const page = await person.api.get<Page<Item>>(`${path}?q=Ten`);
      expect(page.body.items).toHaveLength(1);
    });

    it('the key with another body is refused', async () => {
      const key = withKey();
      await person.api.post('/lists', { name: 'Key one' }, key);
      expectProblem(await person.api.post('/lists', { name: 'Key two' }, key), 422, 'idempotency-key-reused');
    });

    it('the key of somebody else is another key', async () => {
      const key = withKey();
      const mine = await person.api.post<List>('/lists', { name: 'Mine' }, key);
      const other = await newPerson(target);
      const theirs = await other.api.post<List>('/lists', { name: 'Mine' }, key);
      expect([mine.status, theirs.status]).toEqual([201, 201]);
      expect(theirs.body.id).not.toBe(mine.body.id);
    });

    it('what failed is tried again', async () => {
      const key = withKey();
      expectProblem(await person.api.post('/lists', { name: 'Again' }, key), 409, 'list-name-taken');
      await person.api.patch(`/lists/${list.id}`, { name: 'Renamed' });
      expect((await person.api.post('/lists', { name: 'Again' }, key)).status).toBe(201);
    });
  });

  describe('ids chosen by the client', () => {
    // RFC 9562: 48 bits of time, then the version 7 and the variant.
    const uuidv7 = () => {
      const time = Date.now().toString(16).padStart(12, '0');
      return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
    };

    it('are kept, and a second use is a conflict', async () => {
      const id = uuidv7();
      expect(await person.api.post<List>('/lists', { id, name: 'Own id' })).toMatchObject({
        status: 201,
        body: { id },
      });
      expectProblem(await person.api.post('/lists', { id, name: 'Own id 2' }), 409, 'list-id-taken');
    });

    it('are refused for accounts: nobody takes the id of an erased one', async () => {
      expectProblem(await nobody.post('/users', { ...registration(), id: uuidv7() }), 400, 'invalid-input');
    });
  });

  describe('ETag', () => {
    it('the one who has the resource gets 304', async () => {
      for (const path of ['/users/me', `/lists/${list.id}`]) {
        const first = await person.api.get(path);
        const etag = first.headers.get('etag')!;
        expect(etag).toMatch(/^"\d+"$/);
        const again = await person.api.get(path, { headers: { 'if-none-match': etag } });
        expect([again.status, again.body]).toEqual([304, null]);
      }
    });

    it('an edit of an older version is refused with the present state, on every kind of resource', async () => {
      const { body: item } = await person.api.post<Item>(`/lists/${list.id}/items`, { name: 'Edited twice' });
      const resources: [path: string, one: object, other: object][] = [
        ['/users/me', { firstName: 'One' }, { firstName: 'Other' }],
        [`/lists/${list.id}`, { name: 'One' }, { name: 'Other' }],
        [`/items/${item.id}`, { name: 'One' }, { name: 'Other' }],
      ];
      for (const [path, one, other] of resources) {
        const { headers } = await person.api.get(path);
        const etag = headers.get('etag');
        const changed = await person.api.patch<object>(path, one, ifMatch(etag));
        expect(changed.status).toBe(200);
        const late = await person.api.patch(path, other, ifMatch(etag));
        expectProblem(late, 412, 'version-conflict');
        expect(late.body).toMatchObject({ current: { ...one, version: (changed.body as List).version } });
        expect((await person.api.patch(path, other, ifMatch(changed.headers.get('etag')))).status).toBe(200);
      }
      expectProblem(await person.api.delete(`/items/${item.id}`, ifMatch('"1"')), 412, 'version-conflict');
      expectProblem(await person.api.put('/users/me', registrationProfile, ifMatch('"1"')), 412, 'version-conflict');
      expectProblem(await person.api.patch('/users/me', {}, ifMatch('1')), 400, 'bad-if-match');
    });

    it('of many edits of one version exactly one wins', async () => {
      const { body: item, headers } = await person.api.post<Item>(`/lists/${list.id}/items`, { name: 'Contended' });
      const edits = Array.from({ length: 8 }, (_, n) =>
        person.api.patch(`/items/${item.id}`, { notes: `edit ${n}` }, ifMatch(headers.get('etag'))),
      );
      const statuses = (await Promise.all(edits)).map(({ status }) => status);
      expect(statuses.toSorted()).toEqual([200, 412, 412, 412, 412, 412, 412, 412]);
    });
  });

  it('of many registrations with one address exactly one wins', async () => {
    const input = registration();
    const answers = await Promise.all(Array.from({ length: 6 }, () => nobody.post('/users', input)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  it('somebody can make a list in the moment of the first login', async () => {
    const statuses = await Promise.all(
      Array.from(
        { length: 5 },
        async () => (await (await newPerson(target)).api.post('/lists', { name: 'At once' })).status,
      ),
    );
    expect(statuses).toEqual([201, 201, 201, 201, 201]);
    await waitFor(async () => (await person.api.get('/lists')).status === 200);
  });
});

const registrationProfile = { firstName: 'Ada', lastName: 'Lovelace' };
