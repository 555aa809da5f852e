import { Column, CreateDateColumn, Entity, PrimaryColumn, UpdateDateColumn, VersionColumn } from 'typeorm';
import { z } from 'zod';
import { insertEvents } from '#libs/messaging/setup';

@Entity('items')
export class Item {
  @PrimaryColumn('uuid')
  id!: string;

  @Column({ type: 'uuid', name: 'list_id', update: false })
  listId!: string;

  @Column('text')
  name!: string;

  @Column('text')
  notes!: string;

  @Column({ type: 'timestamptz', name: 'completed_at', precision: 3, nullable: true })
  completedAt!: Date | null;

  /** As the client sent it: a date, or a date-time with its zone. */
  @Column('text', { nullable: true })
  due!: string | null;

  /** The instant of `due`, for sorting; for a date its first moment in UTC. */
  @Column({ type: 'timestamptz', name: 'due_at', precision: 3, nullable: true })
  dueAt!: Date | null;

  @Column('smallint')
  priority!: number;

  @Column('text', { array: true })
  labels!: string[];

  @Column('text')
  position!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz', precision: 3 })
  updatedAt!: Date;

  @VersionColumn()
  version!: number;
}

/** Columns, named as the entity's properties. */
export const ITEM_COLUMNS = `items.id, items.list_id AS "listId", items.name, items.notes, items.completed_at AS "completedAt",
  items.due, items.due_at AS "dueAt", items.priority, items.labels, items.position,
  items.created_at AS "createdAt", items.updated_at AS "updatedAt", items.version`;

/** $1 item, $2 owner */
export const SELECT_ITEM = `SELECT ${ITEM_COLUMNS} FROM items JOIN lists ON lists.id = list_id
  WHERE items.id = $1 AND owner_id = $2`;

/**
 * Checks the owner, takes the list's row lock, counts, computes positions, inserts items and events, in one round
 * trip: the lock is held only as long as the statement runs.
 * $1 list, $2 owner, $3 number of open items, $4 number of items, $5 a JSON array of them, $6 … $11 their events.
 * No row: no such list.
 */
export const INSERT_ITEMS = `
  WITH list AS (
    UPDATE lists
       SET open_items = open_items + $3, appended = appended + $4, version = version + 1, updated_at = now()
     WHERE id = $1 AND owner_id = $2
    RETURNING id, appended - $4 AS first
  ), items AS (
    INSERT INTO items (id, list_id, name, notes, completed_at, due, due_at, priority, labels, position)
    SELECT input.id, list.id, name, notes, CASE WHEN completed THEN now() END, due, due_at, priority, labels,
           position_of(list.first + n - 1)
      FROM list, ROWS FROM (
        json_to_recordset($5) AS (
          id uuid, name text, notes text, completed bool, due text, due_at timestamptz, priority smallint, labels text[]
        )
      ) WITH ORDINALITY AS input (id, name, notes, completed, due, due_at, priority, labels, n)
    RETURNING *
  ), events AS (${insertEvents(6, 'list')})
  SELECT ${ITEM_COLUMNS} FROM items`;

/** $1 list. No new position equals an old one, which would violate the unique index row by row. */
export const SHORTEN_POSITIONS = `
  WITH numbered AS (
    SELECT id, row_number() OVER (ORDER BY position) AS n FROM items WHERE list_id = $1
  ), list AS (
    UPDATE lists SET appended = appended + (SELECT count(*) FROM numbered) WHERE id = $1
    RETURNING appended - (SELECT count(*) FROM numbered) AS first
  )
  UPDATE items SET position = position_of(list.first + n - 1), version = version + 1, updated_at = now()
    FROM numbered, list
   WHERE items.id = numbered.id`;

interface Sort {
  /** The sort key, before the id. */
  by: { asc: string; desc: string };
  type: string;
  keyOf: (item: Item, order: 'asc' | 'desc') => string | number;
  /** Validates a sort key from a cursor: no accepted value may cause an error in PostgreSQL. */
  schema: z.ZodType<string | number>;
}

const same = (expression: string) => ({ asc: expression, desc: expression });
const instant = z.iso.datetime({ precision: 3 }).refine((value) => !value.startsWith('0000'));

export const itemSorts = {
  position: {
    by: same('position'),
    type: 'text',
    keyOf: ({ position }) => position,
    schema: z.string().regex(/^[0-9A-Za-z]+$/),
  },
  due: {
    by: { asc: `coalesce(due_at, 'infinity')`, desc: `coalesce(due_at, '-infinity')` },
    type: 'timestamptz',
    keyOf: ({ dueAt }, order) => dueAt?.toISOString() ?? (order === 'asc' ? 'infinity' : '-infinity'),
    schema: z.union([instant, z.literal(['infinity', '-infinity'])]),
  },
  name: {
    // By collation, not by bytes.
    by: same('name COLLATE "und-x-icu"'),
    type: 'text',
    keyOf: ({ name }) => name,
    schema: z.string().refine((value) => value.isWellFormed() && !value.includes('\0')),
  },
  createdAt: {
    by: same('created_at'),
    type: 'timestamptz',
    keyOf: ({ createdAt }) => createdAt.toISOString(),
    schema: instant,
  },
  priority: {
    by: same('priority'),
    type: 'smallint',
    keyOf: ({ priority }) => priority,
    schema: z.int().min(0).max(3),
  },
} satisfies Record<string, Sort>;

export type ItemSort = keyof typeof itemSorts;

/**
 * A page of a list's items. One text for each order, whatever the filters, so that all remain prepared statements.
 * $1 list, $2 owner, $3 limit, $4 … $9 filters or null (completed, priority, label, due before and after, pattern), and
 * with `continued` $10, $11 the sort key and the id of the previous row. No row: no such list; a row of nulls: no items.
 */
export function selectPage(sort: ItemSort, order: 'asc' | 'desc', continued: boolean): string {
  const { by, type } = itemSorts[sort];
  const after = continued
    ? `AND (${by[order]}, items.id) ${order === 'asc' ? '>' : '<'} ($10::${type}, $11::uuid)`
    : '';
  return `
    SELECT items.* FROM lists LEFT JOIN LATERAL (
      SELECT ${ITEM_COLUMNS} FROM items
       WHERE list_id = lists.id
         AND ($4::bool IS NULL OR (completed_at IS NOT NULL) = $4)
         AND ($5::smallint IS NULL OR priority = $5)
         AND ($6::text IS NULL OR $6 = ANY (labels))
         AND ($7::timestamptz IS NULL OR due_at < $7)
         AND ($8::timestamptz IS NULL OR due_at >= $8)
         AND ($9::text IS NULL OR name COLLATE "und-x-icu" ILIKE $9 OR notes COLLATE "und-x-icu" ILIKE $9)
         ${after}
       ORDER BY ${by[order]} ${order}, items.id ${order}
       LIMIT $3
    ) AS items ON true
    WHERE lists.id = $1 AND owner_id = $2`;
}
