import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidv7 } from '#libs/messaging';
import { Housekeeping } from '#libs/service';
import { waitFor } from '#libs/testing';
import { type Caller, TodosFixture } from '../../test/todos-fixture.js';
import { placeOf } from './change-token.js';
import type { ChangePage, ChangeView } from './changes.schemas.js';

describe('the change log', () => {
  let fixture: TodosFixture;
  let ada: Caller;

  beforeAll(async () => {
    fixture = await TodosFixture.start();
    ada = await fixture.user();
  });
  afterAll(() => fixture.close());

  const query = (text: string, values: unknown[] = []) => fixture.dataSource.query<unknown[]>(text, values);
  const ask = async (caller: Caller, parameters = ''): Promise<ChangePage> => {
    const { status, body } = await caller.send('GET', `/changes${parameters}`);
    expect([status, body]).toEqual([200, expect.anything()]);
    return body;
  };
  const now = async (caller = ada) => (await ask(caller)).next;
  const since = async (token: string, caller = ada) => (await ask(caller, `?since=${token}&limit=200`)).items;
  const refusal = async (caller: Caller, token: string) => {
    const { status, body } = await caller.send('GET', `/changes?since=${token}`);
    return [status, body.code];
  };
  const inShort = ({ type, itemId, listId, version }: ChangeView) => [type, itemId ?? listId, version];
  const add = async (list: { id: string }, input: object, caller = ada) =>
    (await caller.send('POST', `/lists/${list.id}/items`, input)).body;

  it('has every change of lists and items, in order, with the present states', async () => {
    const start = await now();
    const list = await ada.list('Groceries');
    const milk = await add(list, { name: 'Milk' });
    const [bread, tea] = await add(list, [{ name: 'Bread' }, { name: 'Tea', completed: true }]);
    await ada.send('PATCH', `/items/${milk.id}`, { completed: true });
    await ada.send('PATCH', `/items/${milk.id}`, { completed: true });
    await ada.send('POST', `/items/${bread.id}/move`, { after: null });
    await ada.send('PATCH', `/lists/${list.id}`, { name: 'Shopping' });
    await ada.send('DELETE', `/items/${bread.id}`);
    await ada.send('POST', `/lists/${list.id}/items/clear-completed`);
    const cake = await add(list, { name: 'Cake' });
    const { body: present } = await ada.send('GET', `/lists/${list.id}`);

    const changes = await since(start);
    expect(changes.map(inShort)).toEqual([
      ['list.created', list.id, 1],
      ['item.created', milk.id, 1],
      ['item.created', bread.id, 1],
      ['item.created', tea.id, 1],
      ['item.updated', milk.id, 2],
      ['item.updated', bread.id, 2],
      ['list.updated', list.id, 5],
      ['item.deleted', bread.id, 2],
      ['item.deleted', milk.id, 2],
      ['item.deleted', tea.id, 1],
      ['item.created', cake.id, 1],
    ]);
    expect(new Set(changes.map(({ list }) => JSON.stringify(list)))).toEqual(new Set([JSON.stringify(present)]));
    expect(changes.map(({ item }) => item)).toEqual([...Array.from({ length: 10 }, () => null), cake]);
    expect(changes.map(({ listId }) => listId)).toEqual(changes.map(() => list.id));
  });

  it('tells of a deleted list once, not of each item that went with it', async () => {
    const list = await ada.list('Short-lived');
    await add(list, [{ name: 'A' }, { name: 'B' }]);
    const start = await now();
    await ada.send('DELETE', `/lists/${list.id}`);
    const changes = await since(start);
    expect(changes.map(inShort)).toEqual([['list.deleted', list.id, 2]]);
    expect(changes[0]!.list).toBeNull();
  });

  it('tells of every item of a list whose positions were shortened', async () => {
    const list = await ada.list('Long');
    const items = await add(list, [{ name: 'A' }, { name: 'B' }, { name: 'C' }, { name: 'D' }]);
    const [a, b, c, d] = items.map(({ id }: { id: string }) => id);
    const between = `a0${'V'.repeat(500)}`;
    await query('UPDATE items SET position = $2 WHERE id = $1', [b, between]);
    await query('UPDATE items SET position = $2 WHERE id = $1', [c, `${between}V`]);
    const start = await now();
    await ada.send('POST', `/items/${d}/move`, { after: b });
    expect((await since(start)).map(({ itemId }) => itemId)).toEqual([a, b, c, d, d]);
  });

  it('comes as pages, each after the one before, until nothing is new', async () => {
    const start = await now();
    const list = await ada.list('Pages');
    await add(
      list,
      Array.from({ length: 6 }, (_, n) => ({ name: `${n}` })),
    );
    const seen: ChangeView[] = [];
    let page: ChangePage = { items: [], next: start, hasMore: true };
    const sizes: number[] = [];
    while (page.hasMore) {
      page = await ask(ada, `?since=${page.next}&limit=3`);
      sizes.push(page.items.length);
      seen.push(...page.items);
      expect(page.next).toBe(seen.at(-1)!.token);
    }
    expect(sizes).toEqual([3, 3, 1]);
    expect(await ask(ada, `?since=${start}&limit=7`)).toEqual({ items: seen, next: page.next, hasMore: false });
    expect(seen).toEqual(await since(start));
    expect(await ask(ada, `?since=${page.next}`)).toEqual({ items: [], next: page.next, hasMore: false });
    expect(await now()).toBe(page.next);
  });

  it('has what an older image writes, and what is written without any', async () => {
    const list = await ada.list('By hand');
    const start = await now();
    const id = uuidv7();
    await query(
      `INSERT INTO items (id, list_id, name, notes, priority, labels, position) VALUES ($1, $2, 'x', '', 0, '{}', 'a0')`,
      [id, list.id],
    );
    await query('UPDATE items SET version = version + 1 WHERE id = $1', [id]);
    await query('DELETE FROM items WHERE id = $1', [id]);
    const changes = await since(start);
    expect(changes.map(inShort)).toEqual([
      ['item.created', id, 1],
      ['item.updated', id, 2],
      ['item.deleted', id, 2],
    ]);
  });

  it('shows nobody what others changed', async () => {
    const [eve, start] = [await fixture.user(), await now()];
    const ofEve = await now(eve);
    const list = await ada.list('Private');
    expect(await since(ofEve, eve)).toEqual([]);
    await eve.list('Mine');
    expect((await since(ofEve, eve)).map(({ list }) => list?.name)).toEqual(['Mine']);
    expect((await since(start)).map(({ listId }) => listId)).toEqual([list.id]);
    expect((await fixture.caller(ada.id, undefined).send('GET', '/changes')).status).toBe(401);
  });

  describe('given a token', () => {
    it('of another log, tampered with, or none at all, answers 400', async () => {
      const [bob, eve] = [await fixture.user(), await fixture.user()];
      await Promise.all([bob.list('B'), eve.list('E')]);
      const token = await now(bob);
      expect(placeOf(token)).toMatchObject({ position: 1 });
      expect(placeOf(await now(eve))).toMatchObject({ position: 1 });
      const bytes = Buffer.from(token, 'base64url');
      const flipped = [...bytes.keys()].map((index) =>
        Buffer.from(bytes.map((byte, at) => (at === index ? byte ^ 1 : byte))).toString('base64url'),
      );
      const lacking = [await now(eve), ...flipped, `${token}A`, `${token}=`, token.slice(1), 'x', '', 'A'.repeat(100)];
      for (const other of lacking)
        expect([other, ...(await refusal(bob, other))]).toEqual([other, 400, 'change-token-unknown']);
      expect(await refusal(bob, 'A'.repeat(101))).toEqual([400, 'invalid-input']);
      expect(await since(token, bob)).toEqual([]);
    });

    it('of what a restored backup does not have, answers 400, also when the log has grown beyond it again', async () => {
      const bob = await fixture.user();
      const list = await bob.list('Restored');
      const backup = (
        await query('SELECT position, changed_at FROM change_logs WHERE owner_id = $1', [bob.id])
      )[0] as object;
      await add(list, { name: 'Lost' }, bob);
      const lost = await now(bob);
      await query('DELETE FROM changes WHERE owner_id = $1 AND position > 1', [bob.id]);
      await query('UPDATE change_logs SET position = $2, changed_at = $3 WHERE owner_id = $1', [
        bob.id,
        ...Object.values(backup),
      ]);
      expect(await refusal(bob, lost)).toEqual([400, 'change-token-unknown']);
      await add(list, [{ name: 'New' }, { name: 'Newer' }], bob);
      expect(await refusal(bob, lost)).toEqual([400, 'change-token-unknown']);
    });

    it('whose successors are no longer kept, answers 410 and how to start anew', async () => {
      const bob = await fixture.user();
      const beginning = await now(bob);
      const list = await bob.list('Old');
      const first = await now(bob);
      await add(list, { name: 'Milk' }, bob);
      const last = await now(bob);
      const housekeeping = fixture.service.app.get(Housekeeping);
      await housekeeping.run();
      expect(await since(beginning, bob)).toHaveLength(2);
      const age = (days: number) =>
        query(`UPDATE changes SET changed_at = changed_at - $2 * interval '1 day' WHERE owner_id = $1`, [bob.id, days]);
      await age(29);
      await housekeeping.run();
      expect(await query('SELECT FROM changes WHERE owner_id = $1', [bob.id])).toHaveLength(2);
      await age(2);
      await housekeeping.run();
      expect(await query('SELECT FROM changes WHERE owner_id = $1', [bob.id])).toHaveLength(0);
      for (const token of [beginning, first]) expect(await refusal(bob, token)).toEqual([410, 'change-token-expired']);
      // Nothing followed the last one.
      expect(await since(last, bob)).toEqual([]);
      expect(await now(bob)).toBe(last);
      await bob.send('DELETE', `/lists/${list.id}`);
      for (const token of [beginning, first, last])
        expect(await refusal(bob, token)).toEqual([410, 'change-token-expired']);
      const { body } = await bob.send('GET', `/changes?since=${first}`);
      expect(body.detail).toMatch('without a token');
    });
  });

  describe('while many write', () => {
    it('never lets a change arrive behind one that a reader has seen', async () => {
      const [one, two] = [await ada.list('One'), await ada.list('Two')];
      const start = await now();
      const slow = fixture.dataSource.createQueryRunner();
      await slow.startTransaction();
      const id = uuidv7();
      await slow.query(
        `INSERT INTO items (id, list_id, name, notes, priority, labels, position) VALUES ($1, $2, 'x', '', 0, '{}', 'a0')`,
        [id, one.id],
      );
      const quick = add(two, { name: 'Quick' });
      await sleep(300);
      expect(await since(start)).toEqual([]);
      await slow.commitTransaction();
      await slow.release();
      const item = await quick;
      expect((await since(start)).map(({ itemId }) => itemId)).toEqual([id, item.id]);
    });

    it('keeps nobody waiting for the changes of another person', async () => {
      const [list, bob] = [await ada.list('Held'), await fixture.user()];
      const slow = fixture.dataSource.createQueryRunner();
      await slow.startTransaction();
      await slow.query(`UPDATE lists SET name = 'Still held' WHERE id = $1`, [list.id]);
      expect(await bob.list()).toMatchObject({ version: 1 });
      await slow.rollbackTransaction();
      await slow.release();
    });

    it('has no gap, no double and the order of each item, though connections are cut', async () => {
      const bob = await fixture.user();
      const lists = await Promise.all(['A', 'B', 'C'].map((name) => bob.list(name)));
      const start = await now(bob);
      const written = new AbortController();
      const read: ChangeView[] = [];
      const reader = (async () => {
        for (let next = start, more = true; !written.signal.aborted || more;) {
          const { status, body } = await bob.send('GET', `/changes?since=${next}&limit=7`);
          if (status === 503) continue;
          expect(status).toBe(200);
          read.push(...body.items);
          [next, more] = [body.next, body.hasMore || body.items.length > 0];
        }
      })();
      const cutter = (async () => {
        while (!written.signal.aborted) {
          await sleep(150);
          // Like the death of a pod: its transactions end in the middle.
          await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle' AND random() < 0.3`);
        }
      })().catch(() => undefined);
      const write = async (writer: number) => {
        const list = lists[writer % lists.length]!;
        for (let n = 0; n < 3; n++) {
          const { status, body } = await bob.send('POST', `/lists/${list.id}/items`, { name: `${writer} ${n}` });
          if (status !== 201) continue;
          await bob.send('PATCH', `/items/${body.id}`, { priority: 1 });
          await bob.send('PATCH', `/items/${body.id}`, { priority: 2 });
          if (n % 2) await bob.send('DELETE', `/items/${body.id}`);
        }
      };
      await Promise.all(Array.from({ length: 40 }, (_, writer) => write(writer)));
      written.abort();
      await Promise.all([reader, cutter]);

      const places = read.map(({ token }) => placeOf(token)!.position);
      const first = placeOf(start)!.position + 1;
      expect(places).toEqual(places.map((_, n) => first + n));
      const byItem = Map.groupBy(read, ({ itemId }) => itemId);
      for (const changes of byItem.values()) {
        const kept = changes.filter(({ type }) => type !== 'item.deleted');
        expect(kept.map(({ version }) => version)).toEqual(kept.map((_, n) => n + 1));
        expect(changes.findIndex(({ type }) => type === 'item.deleted')).toBe(
          kept.length === changes.length ? -1 : changes.length - 1,
        );
      }
      const present = await query(
        'SELECT items.id, items.version FROM items JOIN lists ON lists.id = list_id WHERE owner_id = $1 ORDER BY items.id',
        [bob.id],
      );
      const told = [...byItem.values()].map((changes) => changes.at(-1)!).filter(({ type }) => type !== 'item.deleted');
      const versions = told.map(({ itemId, version }) => ({ id: itemId!, version }));
      expect(versions.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(present);
      expect(read.length).toBeGreaterThan(150);
    }, 60_000);
  });

  it('is erased with its person, though lists are being changed meanwhile', async () => {
    const bob = await fixture.user();
    // More than an erasure deletes at once.
    const lists = await Promise.all(Array.from({ length: 60 }, (_, n) => bob.list(`${n}`)));
    const ids = lists.map(({ id }) => id).toSorted();
    const slow = fixture.dataSource.createQueryRunner();
    await slow.startTransaction();
    await slow.query('SELECT FROM lists WHERE id = $1 FOR UPDATE', [ids.at(-1)]);
    await fixture.publish([{ id: bob.id, state: null }]);
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await waitFor(async () => (await query(waiting)).length > 0, { what: 'the erasure to wait for the list' });
    // In a deadlock the one that looks first is refused: not the erasure, which would only be repeated.
    await slow.query(`SET LOCAL deadlock_timeout = '10ms'`);
    await slow.query(`UPDATE lists SET name = 'Renamed' WHERE id = $1`, [ids.at(-1)]);
    await slow.commitTransaction();
    await slow.release();
    await waitFor(async () => (await query('SELECT FROM people WHERE id = $1', [bob.id])).length === 0);
    expect((await bob.send('GET', `/lists/${ids[0]}`)).status).toBe(404);
    for (const table of ['changes', 'change_logs']) {
      expect(await query(`SELECT FROM ${table} WHERE owner_id = $1`, [bob.id])).toEqual([]);
    }
  });
});
