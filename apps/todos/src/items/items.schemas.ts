import { z } from 'zod';
import { chosenId, ConfiguredSchema, DESCRIBED_AS, idParam, pageOf, pageQuery, text } from '#libs/http';
import type { Config } from '../config.js';
import { type Item, type ItemSort, itemSorts } from './item.entity.js';
import { tooManyItems } from './items.errors.js';

/** Most items that one request creates. */
const MAX_ITEMS = 100;

const nameOf = ({ ITEM_NAME_MAX }: Config) => text(1, ITEM_NAME_MAX).describe('Unique in its list');

const notes = z
  .string()
  .normalize('NFC')
  .max(10_000)
  .refine((value) => value.isWellFormed() && !value.includes('\0'), 'must be text');

/** The instant of a `due`; for a date its first moment in UTC. */
export const instantOf = (due: string) => new Date(due);

const due = z
  .union(
    [z.iso.date(), z.iso.datetime({ offset: true })],
    'expected a date such as 2026-12-24, or a date-time with its zone',
  )
  .refine((value) => {
    const year = instantOf(value).getUTCFullYear();
    return year >= 1 && year <= 9999;
  }, 'the year must be from 1 to 9999')
  .describe('A date, or a date-time with its zone (RFC 3339)');

const label = text(1, 25);
const labels = z
  .array(label)
  .max(20)
  .transform((all) => [...new Set(all)]);

const priority = z.int().min(0).max(3).describe('0 none, 1 low, 2 medium, 3 high');

const newItemOf = (config: Config) =>
  z
    .strictObject({
      id: chosenId.optional().describe('Chosen by the client, or by us'),
      name: nameOf(config),
      notes: notes.default(''),
      completed: z.boolean().default(false),
      due: due.nullable().default(null),
      priority: priority.default(0),
      labels: labels.default([]),
    })
    .meta({ id: 'NewItem', example: { name: 'Milk', priority: 2, due: '2026-12-24', labels: ['shop'] } });
export type NewItem = z.infer<ReturnType<typeof newItemOf>>;

/** One item or an array of them. Not a z.union, whose errors would not locate the fault. */
export const newItems = new ConfiguredSchema((config: Config) => {
  const newItem = newItemOf(config);
  const manyItems = z.array(newItem).min(1);
  return z
    .unknown()
    .transform((input, context): NewItem | NewItem[] => {
      if (Array.isArray(input) && input.length > MAX_ITEMS) throw tooManyItems(MAX_ITEMS);
      const { data, error } = (Array.isArray(input) ? manyItems : newItem).safeParse(input);
      if (data) return data;
      for (const { path, message } of error.issues) context.addIssue({ code: 'custom', path, message });
      return z.NEVER;
    })
    .meta({ [DESCRIBED_AS]: z.union([newItem, manyItems.max(MAX_ITEMS)]) });
});

export const itemPatch = new ConfiguredSchema((config: Config) =>
  z
    .strictObject({
      name: nameOf(config).optional(),
      notes: notes.optional(),
      completed: z.boolean().optional(),
      due: due.nullable().optional(),
      priority: priority.optional(),
      labels: labels.optional(),
    })
    .meta({ id: 'ItemPatch', example: { completed: true } }),
);
export type ItemPatch = z.infer<ReturnType<typeof itemPatch.of>>;

export const itemMove = z
  .strictObject({ after: idParam.nullable().describe('The item to stand behind; null for the top of the list') })
  .meta({ id: 'ItemMove', example: { after: null } });
export type ItemMove = z.infer<typeof itemMove>;

export const itemsQuery = pageQuery.extend({
  completed: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional(),
  priority: z.coerce.number().int().min(0).max(3).optional(),
  label: label.optional(),
  dueBefore: due.optional().describe('Only items due before it'),
  dueAfter: due.optional().describe('Only items due at it or later'),
  q: text(1, 100).optional().describe('Only items whose name or notes contain it, in upper or lower case'),
  sort: z.enum(Object.keys(itemSorts) as ItemSort[]).default('position'),
  order: z.enum(['asc', 'desc']).default('asc').describe('Items without a due date come last in both'),
});
export type ItemsQuery = z.infer<typeof itemsQuery>;

const example = {
  id: '01998d31-0000-7000-8000-000000000002',
  listId: '01998d30-0000-7000-8000-000000000001',
  name: 'Milk',
  notes: '',
  completed: false,
  completedAt: null,
  due: '2026-12-24',
  priority: 2,
  labels: ['shop'],
  position: 'a0',
  createdAt: '2026-11-01T09:00:00.000Z',
  updatedAt: '2026-11-01T09:00:00.000Z',
  version: 1,
};

export const itemView = z
  .object({
    id: z.uuid(),
    listId: z.uuid(),
    name: z.string(),
    notes: z.string(),
    completed: z.boolean(),
    completedAt: z.iso.datetime().nullable(),
    due: z.string().nullable(),
    priority: z.number().int(),
    labels: z.array(z.string()),
    position: z.string().describe('Orders the items of a list, compared byte by byte'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    version: z.number().int(),
  })
  .meta({ id: 'Item', description: 'An item', example: example });
export type ItemView = z.infer<typeof itemView>;

export const oneOrManyItems = z.union([itemView, z.array(itemView)]).describe('An item, or an array for an array');
export const itemPage = pageOf('ItemPage', 'items', itemView);
export const clearedItems = z
  .object({ deleted: z.number().int() })
  .meta({ id: 'ClearedItems', description: 'How many there were', example: { deleted: 2 } });
export type ClearedItems = z.infer<typeof clearedItems>;

export const toItemView = (item: Item): ItemView => ({
  id: item.id,
  listId: item.listId,
  name: item.name,
  notes: item.notes,
  completed: item.completedAt !== null,
  completedAt: item.completedAt?.toISOString() ?? null,
  due: item.due,
  priority: item.priority,
  labels: item.labels,
  position: item.position,
  createdAt: item.createdAt.toISOString(),
  updatedAt: item.updatedAt.toISOString(),
  version: item.version,
});
