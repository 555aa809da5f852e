import { Injectable } from '@nestjs/common';
import { generateKeyBetween } from 'fractional-indexing';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { itemCompleted, itemCreated, itemDeleted, itemUpdated } from '#libs/contracts';
import { assertVersion, type Once, type Page, readCursor, toPage } from '#libs/http';
import { Outbox, uuidv7 } from '#libs/messaging';
import { Reader, violatedConstraint } from '#libs/service';
import { listNotFound } from '../lists/lists.errors.js';
import { INSERT_ITEMS, Item, itemSorts, SELECT_ITEM, selectPage, SHORTEN_POSITIONS } from './item.entity.js';
import { afterNotInList, itemIdTaken, itemNameTaken, itemNotFound } from './items.errors.js';
import {
  type ClearedItems,
  instantOf,
  type ItemPatch,
  type ItemsQuery,
  type ItemView,
  type NewItem,
  toItemView,
} from './items.schemas.js';

/**
 * Repeated moves between the same two items make positions longer, by a character for every six moves. Far
 * below the index's limit (2,704 bytes) the whole list gets short ones again.
 */
const LONGEST_POSITION = 500;

/** Every change holds the row lock of its list before it adds an event, so that the events of a list keep their order. */
@Injectable()
export class ItemsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly reader: Reader,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Appends one item, or all of an array or none; the answer has the shape of the input.
   * @throws Problem 404 for a list that is not the owner's, 409 with every name that the list already has.
   */
  async create(
    ownerId: string,
    listId: string,
    input: NewItem | NewItem[],
    once: Once,
  ): Promise<ItemView | ItemView[]> {
    const inputs = Array.isArray(input) ? input : [input];
    refuseRepeatedNames(inputs);
    // In the array's order: the time of creation is the same for all, and the id breaks the tie.
    const ids = inputs.map(() => uuidv7()).toSorted();
    const items = inputs.map((item, index) => ({ ...item, id: item.id ?? ids[index]! }));
    try {
      // A single statement is a transaction; only an Idempotency-Key, which is stored with the effect, needs an explicit one.
      const views = once.keyed
        ? await this.dataSource.transaction((tx) => once.run(tx, () => this.insert(tx, ownerId, listId, items)))
        : await this.insert(this.dataSource.manager, ownerId, listId, items);
      this.outbox.wake();
      return Array.isArray(input) ? views : views[0]!;
    } catch (error) {
      const constraint = violatedConstraint(error);
      if (constraint === 'items_pkey') throw itemIdTaken();
      throw constraint === 'items_name' ? await this.nameConflict(listId, input) : error;
    }
  }

  async page(ownerId: string, listId: string, query: ItemsQuery): Promise<Page<ItemView>> {
    const { sort, order, limit } = query;
    const { schema, keyOf } = itemSorts[sort];
    const key = readCursor(query.cursor, z.tuple([z.literal(sort), z.literal(order), schema, z.guid()]));
    const rows = await this.reader.rows<Item | { id: null }>(selectPage(sort, order, key !== undefined), [
      listId,
      ownerId,
      limit + 1,
      query.completed ?? null,
      query.priority ?? null,
      query.label ?? null,
      query.dueBefore ? instantOf(query.dueBefore) : null,
      query.dueAfter ? instantOf(query.dueAfter) : null,
      query.q === undefined ? null : `%${query.q.replace(/[\\%_]/g, String.raw`\$&`)}%`,
      ...(key ? key.slice(2) : []),
    ]);
    if (rows.length === 0) throw listNotFound();
    const items = rows.filter((row): row is Item => row.id !== null);
    return toPage(items, limit, toItemView, (item) => [sort, order, keyOf(item, order), item.id]);
  }

  async get(ownerId: string, id: string): Promise<ItemView> {
    const item = await this.reader.one<Item>(SELECT_ITEM, [id, ownerId]);
    if (!item) throw itemNotFound();
    return toItemView(item);
  }

  async update(ownerId: string, id: string, patch: ItemPatch, expected: number | undefined): Promise<ItemView> {
    return this.dataSource
      .transaction(async (tx) => {
        const item = await lock(tx, ownerId, id);
        assertVersion(expected, toItemView(item));
        const { version, completedAt } = item;
        // Writes nothing, and keeps the version, when nothing is different.
        await tx.save(Object.assign(item, changesOf(patch, item)));
        if (item.version === version) return toItemView(item);
        await countOpen(tx, item.listId, Number(item.completedAt === null) - Number(completedAt === null));
        const completed = completedAt === null && item.completedAt !== null;
        await this.outbox.add(tx, completed ? itemCompleted : itemUpdated, item.listId, stateOf(toItemView(item)));
        return toItemView(item);
      })
      .catch((error: unknown) => {
        const taken = violatedConstraint(error) === 'items_name';
        throw taken ? itemNameTaken([{ path: 'name', name: patch.name! }]) : error;
      });
  }

  /** Moves an item behind another of its list, or to the top for null. */
  async move(ownerId: string, id: string, after: string | null, once: Once): Promise<ItemView> {
    return this.dataSource.transaction((tx) =>
      once.run(tx, async () => {
        let item = await lock(tx, ownerId, id);
        let position = await positionAfter(tx, item, after);
        if (position.length > LONGEST_POSITION) {
          await this.shortenPositions(tx, item.listId);
          item = await tx.findOneByOrFail(Item, { id });
          position = await positionAfter(tx, item, after);
        }
        if (position === item.position) return toItemView(item);
        await tx.save(Object.assign(item, { position }));
        await this.outbox.add(tx, itemUpdated, item.listId, stateOf(toItemView(item)));
        return toItemView(item);
      }),
    );
  }

  async delete(ownerId: string, id: string, expected: number | undefined): Promise<void> {
    await this.dataSource.transaction(async (tx) => {
      const item = await lock(tx, ownerId, id);
      assertVersion(expected, toItemView(item));
      await tx.delete(Item, { id });
      await countOpen(tx, item.listId, item.completedAt === null ? -1 : 0);
      await this.outbox.add(tx, itemDeleted, item.listId, { id, listId: item.listId });
    });
  }

  async clearCompleted(ownerId: string, listId: string, once: Once): Promise<ClearedItems> {
    return this.dataSource.transaction((tx) =>
      once.run(tx, async () => {
        const [list] = await tx.query<object[]>('SELECT FROM lists WHERE id = $1 AND owner_id = $2 FOR NO KEY UPDATE', [
          listId,
          ownerId,
        ]);
        if (!list) throw listNotFound();
        const [gone] = await tx.query<[{ id: string }[], number]>(
          'DELETE FROM items WHERE list_id = $1 AND completed_at IS NOT NULL RETURNING id',
          [listId],
        );
        await this.outbox.addAll(
          tx,
          gone.map(({ id }) => ({ event: itemDeleted, key: listId, data: { id, listId } })),
        );
        return { deleted: gone.length };
      }),
    );
  }

  private async insert(
    manager: EntityManager,
    ownerId: string,
    listId: string,
    items: (NewItem & { id: string })[],
  ): Promise<ItemView[]> {
    const open = items.filter(({ completed }) => !completed).length;
    const rows = items.map((item) => ({ ...item, due_at: item.due && instantOf(item.due).toISOString() }));
    const events = items.map(({ id, name, completed }) => ({
      event: itemCreated,
      key: listId,
      data: { id, listId, name, completed, version: 1 },
    }));
    const parameters = [listId, ownerId, open, items.length, JSON.stringify(rows), ...this.outbox.parametersOf(events)];
    const inserted = await manager.query<Item[]>(INSERT_ITEMS, parameters);
    if (inserted.length === 0) throw listNotFound();
    const byId = new Map(inserted.map((item) => [item.id, toItemView(item)]));
    return items.map(({ id }) => byId.get(id)!);
  }

  /** Gives all items of a list new positions at its end, in their present order. */
  private async shortenPositions(tx: EntityManager, listId: string): Promise<void> {
    await tx.query(SHORTEN_POSITIONS, [listId]);
    const items = await tx.find(Item, { where: { listId }, order: { position: 'ASC' } });
    await this.outbox.addAll(
      tx,
      items.map((item) => ({ event: itemUpdated, key: listId, data: stateOf(toItemView(item)) })),
    );
  }

  private async nameConflict(listId: string, input: NewItem | NewItem[]) {
    const inputs = Array.isArray(input) ? input : [input];
    const rows = await this.reader.rows<{ name: string }>(
      'SELECT name FROM items WHERE list_id = $1 AND name = ANY($2)',
      [listId, inputs.map(({ name }) => name)],
    );
    const taken = new Set(rows.map(({ name }) => name));
    const places = inputs.map(({ name }, index) => ({ name, path: Array.isArray(input) ? `${index}.name` : 'name' }));
    return itemNameTaken(places.filter(({ name }) => taken.has(name)));
  }
}

/** Takes the row lock of the item's list, then reads the item. */
async function lock(tx: EntityManager, ownerId: string, id: string): Promise<Item> {
  const [list] = await tx.query<object[]>(
    'SELECT FROM lists WHERE id = (SELECT list_id FROM items WHERE id = $1) AND owner_id = $2 FOR NO KEY UPDATE',
    [id, ownerId],
  );
  const item = list && (await tx.findOneBy(Item, { id }));
  if (!item) throw itemNotFound();
  return item;
}

/** The position between `after` and its successor; at the end the list's next appended position, as for new items. */
async function positionAfter(tx: EntityManager, item: Item, after: string | null): Promise<string> {
  if (after === item.id) return item.position;
  const before = after === null ? null : await tx.findOneBy(Item, { id: after, listId: item.listId });
  if (after !== null && !before) throw afterNotInList();
  const [next] = await tx.query<{ id: string; position: string }[]>(
    `SELECT id, position FROM items WHERE list_id = $1 AND position > $2 AND id <> $3 ORDER BY position LIMIT 1`,
    [item.listId, before?.position ?? '', item.id],
  );
  const alreadyThere = item.position > (before?.position ?? '') && (!next || item.position < next.position);
  if (alreadyThere) return item.position;
  if (next) return generateKeyBetween(before?.position ?? null, next.position);
  const [[end]] = await tx.query<[{ position: string }[], number]>(
    'UPDATE lists SET appended = appended + 1 WHERE id = $1 RETURNING position_of(appended - 1) AS position',
    [item.listId],
  );
  return end!.position;
}

/** Adds `change` to the list's count of open items, and increments the list's version. */
async function countOpen(tx: EntityManager, listId: string, change: number): Promise<void> {
  if (change === 0) return;
  await tx.query(
    'UPDATE lists SET open_items = open_items + $2, version = version + 1, updated_at = now() WHERE id = $1',
    [listId, change],
  );
}

function changesOf({ completed, due, ...rest }: ItemPatch, item: Item): Partial<Item> {
  const changes: Partial<Item> = rest;
  if (due !== undefined) Object.assign(changes, { due, dueAt: due === null ? null : instantOf(due) });
  if (completed !== undefined) changes.completedAt = completed ? (item.completedAt ?? new Date()) : null;
  return changes;
}

const stateOf = ({ id, listId, completed, version }: ItemView) => ({ id, listId, completed, version });

function refuseRepeatedNames(items: NewItem[]): void {
  const first = new Map(items.map(({ name }, index) => [name, index] as const).toReversed());
  const repeated = items
    .map(({ name }, index) => ({ path: `${index}.name`, name, index }))
    .filter(({ name, index }) => first.get(name) !== index);
  if (repeated.length > 0) throw itemNameTaken(repeated);
}
