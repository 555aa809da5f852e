import { z } from 'zod';
import { type ItemView, itemView } from '../items/items.schemas.js';
import { type ListView, listView } from '../lists/lists.schemas.js';

/** Not validated here, so that all invalid tokens get the same response. */
const token = z.string().max(100);

export const changesQuery = z.strictObject({
  since: token.optional().describe('The token after which changes are wanted; without it there are none, only `next`'),
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('How many at most'),
});
export type ChangesQuery = z.infer<typeof changesQuery>;

const types = ['list.created', 'list.updated', 'list.deleted', 'item.created', 'item.updated', 'item.deleted'] as const;

const example = {
  token: 'AQAAAAAAKgGbLRmmgA',
  type: 'item.created' as const,
  listId: '01998d30-0000-7000-8000-000000000001',
  itemId: '01998d31-0000-7000-8000-000000000002',
  version: 1,
  list: z.globalRegistry.get(listView)!['example'] as ListView,
  item: z.globalRegistry.get(itemView)!['example'] as ItemView,
};

export const changeView = z
  .object({
    token: z.string().describe('The place of this change'),
    type: z.enum(types),
    listId: z.uuid(),
    itemId: z.uuid().nullable().describe('null for a change of the list itself'),
    version: z.number().int().describe('Of the list or the item after this change; its last one when it was deleted'),
    list: listView.nullable().describe('The list as it is now, which may be newer; null when there is none any more'),
    item: itemView.nullable().describe('Likewise the item'),
  })
  .meta({ id: 'Change', description: 'A change', example });
export type ChangeView = z.infer<typeof changeView>;

export const changePage = z
  .object({
    items: z.array(changeView),
    next: z.string().describe('The token to ask with next time'),
    hasMore: z.boolean().describe('Whether more changes follow at once'),
  })
  .meta({
    id: 'ChangePage',
    description: 'Changes in the order in which they were committed',
    example: { items: [example], next: example.token, hasMore: false },
  });
export type ChangePage = z.infer<typeof changePage>;
