import { z } from 'zod';
import { days, defineEvent, type Topic } from './event.js';

/**
 * Changes of lists and their items in order per list: the key of every event is the list's id. What people wrote stays in the
 * service that keeps it; here it would outlive its erasure.
 */
export const todosTopic: Topic = { name: 'todos', cleanup: 'delete', retention: days(30) };

const listState = z.object({
  id: z.uuid(),
  ownerId: z.uuid(),
  version: z.number().int(),
});
const itemState = z.object({
  id: z.uuid(),
  listId: z.uuid(),
  completed: z.boolean(),
  version: z.number().int(),
});
const listGone = z.object({ id: z.uuid(), ownerId: z.uuid() });
const itemGone = z.object({ id: z.uuid(), listId: z.uuid() });
export type ListState = z.infer<typeof listState>;
export type ItemState = z.infer<typeof itemState>;

const ownerId = '01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f';
const list: ListState = { id: '01998d31-0000-7000-8000-000000000002', ownerId, version: 1 };
const item: ItemState = {
  id: '01998d32-0000-7000-8000-000000000003',
  listId: list.id,
  completed: false,
  version: 1,
};

export const listCreated = defineEvent({
  type: 'list.created',
  description: 'A list was created.',
  topic: todosTopic,
  schema: listState,
  example: list,
});
export const listUpdated = defineEvent({
  type: 'list.updated',
  description: 'A list was renamed.',
  topic: todosTopic,
  schema: listState,
  example: { ...list, version: 2 },
});
export const listDeleted = defineEvent({
  type: 'list.deleted',
  description: 'A list was deleted together with its items.',
  topic: todosTopic,
  schema: listGone,
  example: { id: list.id, ownerId },
});
export const itemCreated = defineEvent({
  type: 'item.created',
  description: 'An item was added to a list.',
  topic: todosTopic,
  schema: itemState,
  example: item,
});
export const itemUpdated = defineEvent({
  type: 'item.updated',
  description: 'An item was changed, moved or reopened.',
  topic: todosTopic,
  schema: itemState,
  example: { ...item, version: 2 },
});
export const itemCompleted = defineEvent({
  type: 'item.completed',
  description: 'An item was completed.',
  topic: todosTopic,
  schema: itemState,
  example: { ...item, completed: true, version: 3 },
});
export const itemDeleted = defineEvent({
  type: 'item.deleted',
  description: 'An item was deleted.',
  topic: todosTopic,
  schema: itemGone,
  example: { id: item.id, listId: list.id },
});
