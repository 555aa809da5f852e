import { z } from 'zod';
import { defineProblem } from './problem.js';

/** One page of a collection; `nextCursor` requests the next one and is null on the last. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** The query parameters of every collection. */
export const pageQuery = z.strictObject({
  cursor: z.string().max(500).optional().describe('nextCursor of the page before'),
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('How many at most'),
});

export const badCursor = defineProblem({
  status: 400,
  code: 'bad-cursor',
  detail: 'The cursor is not one of ours; start again without it.',
});

/** The schema of a page of `what` (such as lists), named `id` in the documents. */
export const pageOf = <S extends z.ZodType>(id: string, what: string, item: S) =>
  z
    .object({
      items: z.array(item),
      nextCursor: z.string().nullable().describe('Asks for the following page; null on the last'),
    })
    .meta({
      id,
      description: `A page of ${what}`,
      example: { items: [z.globalRegistry.get(item)?.['example']], nextCursor: null },
    });

/**
 * Makes a page from `rows`, which were fetched with `limit + 1` to detect whether more follow.
 * The cursor contains the sort key of the last row, so that concurrent insertions and deletions shift nothing.
 */
export function toPage<R, T>(rows: R[], limit: number, view: (row: R) => T, key: (row: R) => unknown): Page<T> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    items: shown.map(view),
    nextCursor: last === undefined ? null : Buffer.from(JSON.stringify(key(last))).toString('base64url'),
  };
}

/** Reads a cursor made by `toPage`; undefined for none. @throws Problem 400 `bad-cursor` */
export function readCursor<T>(cursor: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (cursor === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw badCursor();
  }
}
