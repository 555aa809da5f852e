import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Client, Item, List, Page } from './client.js';
import { expectProblem } from './expect-problem.js';
import { newPerson } from './people.js';
import { findTarget } from './target.js';

const names = ({ items }: Page<{ name: string }>) => items.map(({ name }) => name);

describe('lists and items', () => {
  let api: Client;
  let list: List;
  let path: string;

  beforeAll(async () => {
    ({ api } = await newPerson(await findTarget()));
  }, 150_000);

  const newList = async (name: string) => (await api.post<List>('/lists', { name })).body;
  const add = async (...items: object[]) => (await api.post<Item[]>(path, items)).body;
  const openItems = async () => (await api.get<List>(`/lists/${list.id}`)).body.openItems;
  const freshList = async (name: string) => {
    list = await newList(name);
    path = `/lists/${list.id}/items`;
  };

  it('a list can be renamed and deleted with its items', async () => {
    await freshList('Old name');
    const [item] = await add({ name: 'Milk' });
    const renamed = await api.patch<List>(`/lists/${list.id}`, { name: 'New name' });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'New name', version: expect.any(Number) } });
    expect((await api.delete(`/lists/${list.id}`)).status).toBe(204);
    expectProblem(await api.get(`/lists/${list.id}`), 404, 'list-not-found');
    expectProblem(await api.get(`/items/${item!.id}`), 404, 'item-not-found');
    expectProblem(await api.post(path, { name: 'Tea' }), 404, 'list-not-found');
  });

  it('names are 1 to 25 and 1 to 50 characters as people count them, trimmed and unique', async () => {
    await freshList('Limits');
    expect((await api.post<List>('/lists', { name: ` ${'🎉'.repeat(25)} ` })).body.name).toBe('🎉'.repeat(25));
    expectProblem(await api.post('/lists', { name: '🎉'.repeat(26) }), 400, 'invalid-input', 'name');
    expectProblem(await api.post('/lists', { name: 'Limits' }), 409, 'list-name-taken', 'name');
    expect((await api.post<Item>(path, { name: 'x'.repeat(50) })).status).toBe(201);
    expectProblem(await api.post(path, { name: 'x'.repeat(51) }), 400, 'invalid-input', 'name');
    const other = await newList('Limits 2');
    expectProblem(await api.patch(`/lists/${other.id}`, { name: 'Limits' }), 409, 'list-name-taken');
    expect((await api.post(`/lists/${other.id}/items`, { name: 'x'.repeat(50) })).status).toBe(201);
  });

  it('an array is created as a whole or not at all', async () => {
    await freshList('All or nothing');
    await add({ name: 'Milk' });
    const refused = await api.post(path, [{ name: 'Tea' }, { name: 'Milk' }]);
    expectProblem(refused, 409, 'item-name-taken', '1.name');
    expectProblem(await api.post(path, [{ name: 'Tea' }, { name: 'Tea' }]), 409, 'item-name-taken');
    expectProblem(await api.post(path, [{ name: 'Tea' }, { name: '' }]), 400, 'invalid-input', '1.name');
    expect(names((await api.get<Page<Item>>(path)).body)).toEqual(['Milk']);
    const hundred = Array.from({ length: 100 }, (_, n) => ({ name: `item ${n}` }));
    expect((await api.post<Item[]>(path, hundred)).body).toHaveLength(100);
    expect(await openItems()).toBe(101);
  });

  it('items are counted while they are open, and know when they were completed', async () => {
    await freshList('Counting');
    const [milk, tea] = await add({ name: 'Milk' }, { name: 'Tea' });
    const done = await api.patch<Item>(`/items/${milk!.id}`, { completed: true });
    expect(done.body).toMatchObject({ completed: true, completedAt: expect.stringMatching(/Z$/), name: 'Milk' });
    expect(await openItems()).toBe(1);
    const open = await api.patch<Item>(`/items/${milk!.id}`, { completed: false, notes: 'oat', due: null });
    expect(open.body).toMatchObject({ completed: false, completedAt: null, notes: 'oat' });
    await api.patch(`/items/${tea!.id}`, { completed: true });
    expect(await api.post(`${path}/clear-completed`)).toMatchObject({ status: 200, body: { deleted: 1 } });
    expect((await api.delete(`/items/${milk!.id}`)).status).toBe(204);
    expect(await openItems()).toBe(0);
  });

  it('filters, searches and sorts', async () => {
    await freshList('Finding');
    const [, bread] = await add(
      { name: 'Milk', priority: 1, labels: ['cold'] },
      { name: 'Bread', priority: 3, due: '2030-05-01', notes: '100% rye' },
      { name: 'Tea', due: '2030-01-31T10:00:00+02:00', labels: ['cold', 'green'] },
    );
    await api.patch(`/items/${bread!.id}`, { completed: true });
    const find = async (query: string) => names((await api.get<Page<Item>>(`${path}?${query}`)).body);
    expect(await find('completed=false')).toEqual(['Milk', 'Tea']);
    expect(await find('priority=3')).toEqual(['Bread']);
    expect(await find('label=cold')).toEqual(['Milk', 'Tea']);
    expect(await find('dueBefore=2030-02-01')).toEqual(['Tea']);
    expect(await find('q=RYE')).toEqual(['Bread']);
    expect(await find(`q=${encodeURIComponent('%')}`)).toEqual(['Bread']);
    expect(await find('sort=due')).toEqual(['Tea', 'Bread', 'Milk']);
    expect(await find('sort=priority&order=desc')).toEqual(['Bread', 'Milk', 'Tea']);
  });

  it('pages show every item once, also while others come and go', async () => {
    await freshList('Paging');
    const all = await add(...Array.from({ length: 7 }, (_, n) => ({ name: `item ${n}` })));
    const first = await api.get<Page<Item>>(`${path}?limit=3`);
    await api.delete(`/items/${all[1]!.id}`);
    await api.post(path, { name: 'late' });
    const second = await api.get<Page<Item>>(`${path}?limit=3&cursor=${first.body.nextCursor}`);
    const third = await api.get<Page<Item>>(`${path}?limit=3&cursor=${second.body.nextCursor}`);
    const shown = [first, second, third].flatMap(({ body }) => names(body));
    expect(shown).toEqual([...all.map(({ name }) => name), 'late']);
    expect(third.body.nextCursor).toBeNull();
  });

  it('items move behind others without renumbering', async () => {
    await freshList('Moving');
    const [a, b, c] = await add({ name: 'a' }, { name: 'b' }, { name: 'c' });
    const move = async (item: Item, after: string | null) => {
      expect((await api.post(`/items/${item.id}/move`, { after })).status).toBe(200);
      return names((await api.get<Page<Item>>(path)).body);
    };
    expect(await move(c!, null)).toEqual(['c', 'a', 'b']);
    expect(await move(a!, b!.id)).toEqual(['c', 'b', 'a']);
    const { body } = await api.get<Item>(`/items/${b!.id}`);
    expect(body).toMatchObject({ position: b!.position, version: b!.version });
    const elsewhere = await newList('Moving 2');
    const { body: far } = await api.post<Item>(`/lists/${elsewhere.id}/items`, { name: 'far' });
    expectProblem(await api.post(`/items/${a!.id}/move`, { after: far.id }), 400, 'after-not-in-list', 'after');
  });
});
