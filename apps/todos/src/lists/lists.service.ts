import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { listCreated, listDeleted, listUpdated } from '#libs/contracts';
import { assertVersion, type Once, type Page, readCursor, toPage } from '#libs/http';
import { Outbox, uuidv7 } from '#libs/messaging';
import { Reader, violatedConstraint } from '#libs/service';
import { Users } from '../users/users.service.js';
import { List, LIST_COLUMNS } from './list.entity.js';
import { conflictOr, listNotFound } from './lists.errors.js';
import { type ListPatch, type ListsQuery, type ListView, type NewList, toListView } from './lists.schemas.js';

const PAGE = `SELECT ${LIST_COLUMNS} FROM lists WHERE owner_id = $1 AND id > $2 ORDER BY id LIMIT $3`;
const MOST = 200;

/** Sorts before every id. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

@Injectable()
export class ListsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly reader: Reader,
    private readonly outbox: Outbox,
    private readonly users: Users,
  ) {}

  /** @throws Problem 409 when the owner has a list of that name; 401 or 503 when the owner is unknown here and at users. */
  async create(ownerId: string, input: NewList, once: Once): Promise<ListView> {
    try {
      return await this.insert(ownerId, input, once);
    } catch (error) {
      if (violatedConstraint(error) !== 'lists_owner') throw conflictOr(error, input);
    }
    // A new user whose event has not arrived yet.
    await this.users.fetchMissing(ownerId);
    return this.insert(ownerId, input, once).catch((error: unknown) => {
      throw conflictOr(error, input);
    });
  }

  /** The owner's lists by id, that is, by creation. */
  async page(ownerId: string, { cursor, limit }: ListsQuery): Promise<Page<ListView>> {
    const after = readCursor(cursor, z.guid()) ?? FIRST_ID;
    return toListPage(await this.reader.rows<List>(PAGE, [ownerId, after, limit + 1]), limit);
  }

  /** The first 200; fails at once where the database is away. */
  async firstPage(ownerId: string): Promise<Page<ListView>> {
    return toListPage(await this.reader.rowsAtOnce<List>(PAGE, [ownerId, FIRST_ID, MOST + 1]), MOST);
  }

  async get(ownerId: string, id: string): Promise<ListView> {
    const list = await this.reader.one<List>(`SELECT ${LIST_COLUMNS} FROM lists WHERE id = $1 AND owner_id = $2`, [
      id,
      ownerId,
    ]);
    if (!list) throw listNotFound();
    return toListView(list);
  }

  async update(ownerId: string, id: string, patch: ListPatch, expected: number | undefined): Promise<ListView> {
    return this.dataSource
      .transaction(async (tx) => {
        const list = await lock(tx, ownerId, id);
        assertVersion(expected, toListView(list));
        const { version } = list;
        // Writes nothing, and keeps the version, when nothing is different.
        await tx.save(Object.assign(list, patch));
        if (list.version !== version) await this.outbox.add(tx, listUpdated, id, stateOf(list));
        return toListView(list);
      })
      .catch((error: unknown) => {
        throw conflictOr(error, patch);
      });
  }

  async delete(ownerId: string, id: string, expected: number | undefined): Promise<void> {
    await this.dataSource.transaction(async (tx) => {
      const list = await lock(tx, ownerId, id);
      assertVersion(expected, toListView(list));
      await tx.delete(List, { id });
      await this.outbox.add(tx, listDeleted, id, { id, ownerId });
    });
  }

  private async insert(ownerId: string, { id = uuidv7(), name }: NewList, once: Once): Promise<ListView> {
    return this.dataSource.transaction((tx) =>
      once.run(tx, async () => {
        const [list] = await tx.query<List[]>(
          `INSERT INTO lists (id, owner_id, name) VALUES ($1, $2, $3) RETURNING ${LIST_COLUMNS}`,
          [id, ownerId, name],
        );
        await this.outbox.add(tx, listCreated, id, stateOf(list!));
        return toListView(list!);
      }),
    );
  }
}

const toListPage = (rows: List[], limit: number) => toPage(rows, limit, toListView, ({ id }) => id);

/** Takes the list's row lock, which serialises its changes and their events. */
async function lock(tx: EntityManager, ownerId: string, id: string): Promise<List> {
  const list = await tx.findOne(List, { where: { id, ownerId }, lock: { mode: 'pessimistic_write' } });
  if (!list) throw listNotFound();
  return list;
}

const stateOf = ({ id, ownerId, version }: List) => ({ id, ownerId, version });
