import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidv7 } from '#libs/messaging';
import { waitFor } from '#libs/testing';
import { type Caller, TodosFixture, userState } from '../../test/todos-fixture.js';
import type { User } from './user.entity.js';

describe('users', () => {
  let fixture: TodosFixture;

  beforeAll(async () => {
    fixture = await TodosFixture.start();
  });
  afterAll(() => fixture.close());

  const copyOf = async (id: string) => {
    const [user] = await fixture.dataSource.query<User[]>('SELECT email, version FROM people WHERE id = $1', [id]);
    return user;
  };
  /** Waits until every event sent before has been handled: events are handled in order per key. */
  const settle = async () => {
    const ids = Array.from({ length: 12 }, () => uuidv7());
    await fixture.publish(ids.map((id) => ({ id, state: userState(id) })));
    for (const id of ids) await waitFor(() => copyOf(id), { what: `the copy of ${id}` });
  };

  describe('copied from events', () => {
    it('keeps the newest state, whatever comes again or late', async () => {
      const id = uuidv7();
      const [first, second] = [1, 2].map((version) => ({
        id,
        state: userState(id, { version, email: `v${version}@example.com` }),
        eventId: uuidv7(),
      }));
      await fixture.publish([first!, second!, first!, second!, { ...first!, eventId: uuidv7() }]);
      await settle();
      expect(await copyOf(id)).toEqual({ email: 'v2@example.com', version: 2 });
    });

    it('lets the copied work without asking users', async () => {
      const ada = await fixture.user({ known: false });
      await fixture.publish([{ id: ada.id, state: userState(ada.id) }]);
      await waitFor(() => copyOf(ada.id));
      const calls = fixture.users.calls;
      expect((await ada.send('POST', '/lists', { name: 'Mine' })).status).toBe(201);
      expect(fixture.users.calls).toBe(calls);
    });

    it('erases a user with all lists and items, publishes that, and stays so through a replay', async () => {
      const ada = await fixture.user();
      const { id: listId } = await ada.list();
      const { body: item } = await ada.send('POST', `/lists/${listId}/items`, { name: 'Milk' });
      // A statement that deleted more lists than it may would run into its time limit one day.
      await fixture.dataSource.query(`
        CREATE FUNCTION refuse_many() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN ASSERT (SELECT count(*) <= 50 FROM gone), 'too many at once'; RETURN NULL; END $$;
        CREATE TRIGGER refuse_many AFTER DELETE ON lists REFERENCING OLD TABLE AS gone EXECUTE FUNCTION refuse_many()`);
      const others = await Promise.all(Array.from({ length: 60 }, (_, n) => ada.list(`List ${n}`)));
      const changed = { id: ada.id, state: userState(ada.id, { version: 2 }), eventId: uuidv7() };
      const erased = { id: ada.id, state: null, eventId: uuidv7() };
      await fixture.publish([changed, erased]);
      await waitFor(async () => (await copyOf(ada.id)) === undefined);
      expect((await ada.send('GET', `/lists/${listId}`)).body.code).toBe('list-not-found');
      expect((await ada.send('GET', `/items/${item.id}`)).body.code).toBe('item-not-found');
      const lists = [listId, ...others.map(({ id }) => id)];
      const deleted = async () =>
        (await fixture.events(...lists)).filter(({ type }) => type === 'list.deleted').map(({ data }) => data.id);
      await waitFor(async () => (await deleted()).length >= lists.length, { what: 'the deletion of every list' });
      expect((await deleted()).toSorted()).toEqual(lists.toSorted());

      await fixture.publish([changed, { ...changed, eventId: uuidv7() }, erased]);
      await settle();
      expect(await copyOf(ada.id)).toBeUndefined();
    });

    it('keeps no answer for an Idempotency-Key of the erased', async () => {
      const ada = await fixture.user();
      const headers = { 'idempotency-key': uuidv7() };
      const { body: list } = await ada.send('POST', '/lists', { name: 'Doctor' }, headers);
      const kept = () =>
        fixture.dataSource.query<object[]>('SELECT FROM idempotency_keys WHERE answer::text LIKE $1', [`%${list.id}%`]);
      expect(await kept()).toHaveLength(1);
      await fixture.publish([{ id: ada.id, state: null }]);
      await waitFor(async () => (await kept()).length === 0);
    });

    it('does not let somebody erased in by the back door', async () => {
      const ada = await fixture.user();
      await fixture.publish([{ id: ada.id, state: null }]);
      await settle();
      // A lagging replica of users still answers.
      const { status, body } = await ada.send('POST', '/lists', { name: 'Ghost' });
      expect([status, body.code]).toEqual([401, 'account-unknown']);
      expect(await copyOf(ada.id)).toBeUndefined();
    });
  });

  describe('asked for over gRPC', () => {
    let number = 0;
    const create = (caller: Caller) => caller.send('POST', '/lists', { name: `List ${++number}` });
    const strangers = (count: number) => Promise.all(Array.from({ length: count }, () => fixture.user()));
    /** Fails until the breaker opens, each time with an unknown user. */
    const breakCircuit = async () => {
      const answers = await Promise.all((await strangers(5)).map(create));
      expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503]);
    };

    beforeEach(async () => {
      fixture.users.mode = 'well';
      // A breaker left open by a previous test closes with the next success.
      await waitFor(async () => (await create(await fixture.user())).status === 201);
    });

    it('brings in whom no event told of yet', async () => {
      const ada = await fixture.user();
      expect((await create(ada)).status).toBe(201);
      expect(await copyOf(ada.id)).toEqual({ email: `${ada.id}@example.com`, version: 1 });
      const calls = fixture.users.calls;
      await create(ada);
      expect(fixture.users.calls).toBe(calls);
    });

    it('brings somebody in once when two first requests come together', async () => {
      const ada = await fixture.user();
      const answers = await Promise.all([create(ada), create(ada)]);
      expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    });

    it('refuses whom users does not know, however often', async () => {
      for (let time = 0; time < 7; time++) {
        const { status, body } = await create(await fixture.user({ known: false }));
        expect([status, body.code]).toEqual([401, 'account-unknown']);
      }
      expect((await create(await fixture.user())).status).toBe(201);
    });

    it('gives up on a silent service, then answers at once, and works again when it does', async () => {
      fixture.users.mode = 'silent';
      await breakCircuit();
      const calls = fixture.users.calls;
      const { status, body, headers } = await create(await fixture.user());
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
      expect(fixture.users.calls).toBe(calls);

      fixture.users.mode = 'well';
      await waitFor(async () => (await create(await fixture.user())).status === 201);
    });

    it('survives that the service is away, and finds it again', async () => {
      const ada = await fixture.user();
      fixture.users.stop();
      await breakCircuit();
      expect((await create(ada)).body.code).toBe('unavailable');
      await fixture.users.start();
      await waitFor(async () => (await create(ada)).status === 201);
    });

    it('repeats a call that was refused, but only within its budget', async () => {
      // Successes refill the retry budget that previous tests have used.
      for (const caller of await strangers(10)) expect((await create(caller)).status).toBe(201);
      fixture.users.mode = 'unavailable';
      const calls = fixture.users.calls;
      for (const caller of await strangers(5)) expect((await create(caller)).status).toBe(503);
      const asked = fixture.users.calls - calls;
      expect(asked).toBeGreaterThan(5);
      expect(asked).toBeLessThan(15);
    });
  });
});
