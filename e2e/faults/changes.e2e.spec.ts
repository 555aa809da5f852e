import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, type Item, type List } from '../client.js';
import { newPerson, type Person } from '../people.js';
import { System } from './system.js';

interface Change {
  type: string;
  listId: string;
  itemId: string | null;
  version: number;
}
interface Changes {
  items: Change[];
  next: string;
  hasMore: boolean;
}

const WRITERS = 20;
const READERS = 5;
const print = (line: string) => process.stdout.write(`${line}\n`);

describe('the change log', () => {
  let system: System;
  let person: Person;

  beforeAll(async () => {
    system = await System.start();
    person = await newPerson({ baseUrl: system.stack.url });
  }, 150_000);
  afterAll(() => system?.remove(), 30_000);

  it('is complete and in order for every reader while one of two processes is killed three times', async () => {
    const todos = system.stack.unit('todos');
    const replica = await system.startReplica('todos');
    const { accessToken } = person.tokens;
    const apis = [system.stack.url, replica.url].map((url) => new Client(url, accessToken));
    // Its answer is lost with the process that is killed.
    const send = <T>(n: number, method: string, path: string, body?: object) =>
      apis[n % apis.length]!.send<T>(method, path, { body }).catch(() => ({ status: 0, body: undefined as T }));
    const lists: string[] = [];
    for (let n = 0; n < 11; n++) lists.push((await apis[0]!.post<List>('/lists', { name: `List ${n}` })).body.id);
    const { next: start } = (await apis[0]!.get<Changes>('/changes')).body;

    const written = new AbortController();
    const read = async (reader: number): Promise<Change[]> => {
      const seen: Change[] = [];
      for (let next = start, more = true, n = reader; more || !written.signal.aborted; n++) {
        // Nothing more, asked after the last write, is the end.
        const ended = written.signal.aborted;
        const { status, body } = await send<Changes>(n, 'GET', `/changes?since=${next}&limit=50`);
        if (status !== 200) {
          await sleep(50);
          continue;
        }
        seen.push(...body.items);
        next = body.next;
        more = body.hasMore || !ended;
      }
      return seen;
    };
    const statuses: Record<number, number> = {};
    const write = async (writer: number) => {
      for (let n = 0; n < 50; n++) {
        // Half of all goes into the first list.
        const list = n % 2 ? lists[0]! : lists[1 + ((n / 2) % 10)]!;
        const { status, body } = await send<Item>(n, 'POST', `/lists/${list}/items`, { name: `${writer} ${n}` });
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === 201 && n % 3 === 0) await send(n + 1, 'PATCH', `/items/${body.id}`, { priority: 1 });
      }
    };
    const kill = async () => {
      for (let kills = 0; kills < 3; kills++) {
        await sleep(1000);
        await todos.ready();
        await todos.kill();
      }
    };
    const reading = Array.from({ length: READERS }, (_, reader) => read(reader));
    await Promise.all([kill(), ...Array.from({ length: WRITERS }, (_, writer) => write(writer))]);
    await todos.ready();
    written.abort();
    const [seen, ...others] = await Promise.all(reading);
    await replica.stop();
    print(`${seen!.length} changes; answers to ${WRITERS * 50} items ${JSON.stringify(statuses)}`);

    for (const other of others) expect(other.map(nameOf)).toEqual(seen!.map(nameOf));
    const items = await system.select<{ id: string; list: string; version: number }>(
      'todos',
      'SELECT id, list_id AS list, version FROM items ORDER BY list_id, position',
    );
    const created = seen!.filter(({ type }) => type === 'item.created');
    for (const list of lists) {
      const inLog = created.filter(({ listId }) => listId === list).map(({ itemId }) => itemId);
      expect(inLog).toEqual(items.filter((item) => item.list === list).map(({ id }) => id));
    }
    const byItem = Map.groupBy(seen!, ({ itemId }) => itemId);
    for (const { id, version } of items) {
      const versions = byItem.get(id)!.map((change) => change.version);
      expect(versions).toEqual(Array.from({ length: version }, (_, n) => n + 1));
    }
    expect(items.length).toBeGreaterThan(WRITERS);
  }, 300_000);
});

const nameOf = ({ type, itemId, version }: Change) => `${type} ${itemId} ${version}`;
