import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Reader } from '#libs/service';
import { type Item, ITEM_COLUMNS } from '../items/item.entity.js';
import { toItemView } from '../items/items.schemas.js';
import { type List, LIST_COLUMNS } from '../lists/list.entity.js';
import { toListView } from '../lists/lists.schemas.js';
import { type Place, placeOf, tokenOf } from './change-token.js';
import { changeTokenExpired, changeTokenUnknown } from './changes.errors.js';
import type { ChangePage, ChangesQuery, ChangeView } from './changes.schemas.js';

/** A row of the log. Positions are bigints, which pg reads as text. */
interface Row {
  position: string;
  changedAt: Date;
  type: ChangeView['type'];
  listId: string;
  itemId: string | null;
  version: number;
}

type Found = (Row | { position: null }) & { lastPosition: string; lastChangedAt: Date };

const LAST = 'SELECT position, changed_at AS "changedAt" FROM change_logs WHERE owner_id = $1';

/**
 * $1 owner, $2 the first position, $3 how many. The log's last place comes from the same snapshot: a change that was committed
 * between two statements would look like one that is no longer kept. A row of nulls: no such changes.
 */
const ROWS = `
  SELECT log.position AS "lastPosition", log.changed_at AS "lastChangedAt", change.position,
         change.changed_at AS "changedAt", type, list_id AS "listId", item_id AS "itemId", version
    FROM change_logs AS log LEFT JOIN LATERAL (
      SELECT * FROM changes WHERE owner_id = log.owner_id AND position >= $2 ORDER BY position LIMIT $3
    ) AS change ON true
   WHERE log.owner_id = $1 ORDER BY change.position`;

const BEGINNING: Place = { position: 0, changedAt: 0 };

/** Reads the log that the triggers of the migration create-changes write (ADR 19). */
@Injectable()
export class ChangesService {
  constructor(private readonly reader: Reader) {}

  /** @throws Problem 400 for a token that is not of the owner's log, 410 when what followed it is no longer kept. */
  async page(ownerId: string, { since, limit }: ChangesQuery): Promise<ChangePage> {
    if (since === undefined) return { items: [], next: await this.lastToken(ownerId), hasMore: false };
    const rows = await this.rowsAfter(ownerId, since, limit + 1);
    const items = await this.withStates(ownerId, rows.slice(0, limit));
    return { items, next: items.at(-1)?.token ?? since, hasMore: rows.length > limit };
  }

  private async lastToken(ownerId: string): Promise<string> {
    const last = await this.reader.one<Row>(LAST, [ownerId]);
    return tokenOf(last ? placeOfRow(last) : BEGINNING);
  }

  private async rowsAfter(ownerId: string, token: string, limit: number): Promise<Row[]> {
    const since = placeOf(token);
    if (!since) throw changeTokenUnknown();
    const found = await this.reader.rows<Found>(ROWS, [ownerId, since.position, limit + 1]);
    const rows = found.filter((row) => row.position !== null);
    const place = rows[0] ? placeAt(since.position, rows[0]) : placeOfLast(found[0]);
    if (!place || place.position > since.position) throw changeTokenExpired();
    if (place.position < since.position || place.changedAt !== since.changedAt) throw changeTokenUnknown();
    return rows.filter(({ position }) => Number(position) > since.position).slice(0, limit);
  }

  /** States are read after the log, so that none is older than its change. */
  private async withStates(ownerId: string, rows: Row[]): Promise<ChangeView[]> {
    if (rows.length === 0) return [];
    const [lists, items] = await Promise.all([
      this.reader.rows<List>(`SELECT ${LIST_COLUMNS} FROM lists WHERE owner_id = $1 AND id = ANY ($2)`, [
        ownerId,
        distinct(rows.map(({ listId }) => listId)),
      ]),
      this.reader.rows<Item>(`SELECT ${ITEM_COLUMNS} FROM items WHERE id = ANY ($1)`, [
        distinct(rows.map(({ itemId }) => itemId)),
      ]),
    ]);
    const listsById = new Map(lists.map((list) => [list.id, toListView(list)]));
    const itemsById = new Map(items.map((item) => [item.id, toItemView(item)]));
    return rows.map((row) => ({
      token: tokenOf(placeOfRow(row)),
      type: row.type,
      listId: row.listId,
      itemId: row.itemId,
      version: row.version,
      list: listsById.get(row.listId) ?? null,
      item: itemsById.get(row.itemId ?? '') ?? null,
    }));
  }
}

/** The place at `position` as the first row of those from there on tells it; undefined when it is no longer kept. */
function placeAt(position: number, first: Row): Place | undefined {
  if (Number(first.position) === position) return placeOfRow(first);
  return position === 0 && first.position === '1' ? BEGINNING : undefined;
}

const placeOfRow = ({ position, changedAt }: Pick<Row, 'position' | 'changedAt'>): Place => ({
  position: Number(position),
  changedAt: changedAt.getTime(),
});

const placeOfLast = (found: Found | undefined): Place =>
  found ? placeOfRow({ position: found.lastPosition, changedAt: found.lastChangedAt }) : BEGINNING;

const distinct = (ids: (string | null)[]) => [...new Set(ids)].filter((id) => id !== null);

/** Rows per statement: one that exceeds its time limit would do so at every retry. */
const BATCH = 10_000;

/** Deletes the changes older than `kept` milliseconds: beginnings of logs, in which time never goes back. */
export async function forgetOldChanges(tx: EntityManager, kept: number): Promise<void> {
  for (let deleted = BATCH; deleted === BATCH;) {
    [, deleted] = await tx.query<[unknown, number]>(
      `DELETE FROM changes WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM changes WHERE changed_at < now() - $1::float8 * interval '1 ms' LIMIT ${BATCH}))`,
      [kept],
    );
  }
}
