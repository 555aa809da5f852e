import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyBetween } from 'fractional-indexing';
import { type Caller, TodosFixture } from '../../test/todos-fixture.js';

interface Item {
  id: string;
  name: string;
  position: string;
}

describe('the order of items', () => {
  let fixture: TodosFixture;
  let ada: Caller;
  let lists = 0;

  beforeAll(async () => {
    fixture = await TodosFixture.start();
    ada = await fixture.user();
  });
  afterAll(() => fixture.close());

  /** A list with items of these names. */
  const listOf = async (names: string[]) => {
    const { id } = await ada.list(`List ${++lists}`);
    const items: Item[] = (
      await ada.send(
        'POST',
        `/lists/${id}/items`,
        names.map((name) => ({ name })),
      )
    ).body;
    return { id, ids: Object.fromEntries(items.map((item) => [item.name, item.id])) };
  };
  const move = (id: string, after: string | null) => ada.send('POST', `/items/${id}/move`, { after });
  const itemsOf = async (listId: string): Promise<Item[]> =>
    (await ada.send('GET', `/lists/${listId}/items?limit=200`)).body.items;
  const order = async (listId: string) => (await itemsOf(listId)).map(({ name }) => name).join('');

  it('gives the end of a list the keys that fractional-indexing gives', async () => {
    const keys: string[] = [];
    for (let number = 0; number < 5000; number++) keys.push(generateKeyBetween(keys.at(-1) ?? null, null));
    const rows = await fixture.dataSource.query<{ key: string }[]>(
      'SELECT position_of(n) AS key FROM generate_series(0, 4999) AS n',
    );
    expect(rows.map(({ key }) => key)).toEqual(keys);
    const far = await fixture.dataSource.query<{ a: string; b: string }[]>(
      'SELECT position_of(15018569) AS a, position_of(15018570) AS b',
    );
    expect(far).toEqual([{ a: 'dzzzz', b: generateKeyBetween('dzzzz', null) }]);
  });

  it.each([
    ['C', null, 'CABD'],
    ['A', 'B', 'BACD'],
    ['A', 'D', 'BCDA'],
    ['D', 'A', 'ADBC'],
    ['B', 'A', 'ABCD'],
    ['A', null, 'ABCD'],
    ['D', 'C', 'ABCD'],
  ])('puts %s after %s', async (moved, after, expected) => {
    const { id, ids } = await listOf(['A', 'B', 'C', 'D']);
    const { status, body } = await move(ids[moved]!, after === null ? null : ids[after]!);
    expect([status, body.version]).toEqual([200, expected === 'ABCD' ? 1 : 2]);
    expect(await order(id)).toBe(expected);
  });

  it('leaves an item that shall stand behind itself where it is', async () => {
    const { id, ids } = await listOf(['A', 'B']);
    expect((await move(ids.A!, ids.A!)).status).toBe(200);
    expect(await order(id)).toBe('AB');
  });

  it('appends behind an item that was moved to the end, also after the end was deleted', async () => {
    const { id, ids } = await listOf(['A', 'B', 'C']);
    await move(ids.A!, ids.C!);
    await ada.send('DELETE', `/items/${ids.A}`);
    await move(ids.B!, ids.C!);
    await ada.send('POST', `/lists/${id}/items`, { name: 'D' });
    expect(await order(id)).toBe('CBD');
  });

  it('refuses to move behind an item of another list, or of nobody', async () => {
    const [here, there] = [await listOf(['A']), await listOf(['B'])];
    for (const after of [there.ids.B!, '01998d30-0000-7000-8000-000000000001']) {
      const { status, body } = await move(here.ids.A!, after);
      expect([status, body.code]).toEqual([400, 'after-not-in-list']);
    }
  });

  it('keeps the order through many moves to the same place', async () => {
    const { id, ids } = await listOf(['A', 'B', 'C', 'D']);
    for (let round = 0; round < 120; round++) {
      const moved = 'BCD'[round % 3]!;
      await move(ids[moved]!, ids.A!);
    }
    expect(await order(id)).toBe('ADCB');
  });

  it('shortens positions that have grown long, and keeps the order', async () => {
    const { id, ids } = await listOf(['A', 'B', 'C', 'D']);
    const place = (item: string, position: string) =>
      fixture.dataSource.query('UPDATE items SET position = $2 WHERE id = $1', [ids[item], position]);
    const between = `a0${'V'.repeat(500)}`;
    await place('B', between);
    await place('C', `${between}V`);
    const { status, body } = await move(ids.D!, ids.B!);
    expect([status, body.version]).toEqual([200, 3]);
    expect(await order(id)).toBe('ABDC');
    expect(Math.max(...(await itemsOf(id)).map(({ position }) => position.length))).toBeLessThan(5);
    await ada.send('POST', `/lists/${id}/items`, { name: 'E' });
    expect(await order(id)).toBe('ABDCE');
  });

  it('gives every item its own place when many move to one place at once', async () => {
    const names = Array.from('ABCDEFGHIJKLMNOP');
    const { id, ids } = await listOf(names);
    const moves = [...names.slice(1), ...names.slice(1)].map((name) => move(ids[name]!, ids.A!));
    const inserts = ['q', 'r', 's'].map((name) => ada.send('POST', `/lists/${id}/items`, { name }));
    const answers = await Promise.all([...moves, ...inserts]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 201]));
    const items = await itemsOf(id);
    expect(items[0]!.name).toBe('A');
    expect(new Set(items.map(({ position }) => position)).size).toBe(names.length + 3);
    const positions = items.map(({ position }) => position);
    expect(positions).toEqual(positions.toSorted((a, b) => (a < b ? -1 : 1)));
  });

  it('moves once under one Idempotency-Key', async () => {
    const { id, ids } = await listOf(['A', 'B', 'C']);
    const key = { 'idempotency-key': 'move' };
    const first = await ada.send('POST', `/items/${ids.C}/move`, { after: null }, key);
    await move(ids.A!, null);
    const again = await ada.send('POST', `/items/${ids.C}/move`, { after: null }, key);
    expect(again.body).toEqual(first.body);
    expect(await order(id)).toBe('ACB');
  });
});
