import { z } from 'zod';
import { chosenId, pageOf, pageQuery, text } from '#libs/http';
import { loadSettings } from '#libs/service';
import { settings } from '../config.js';
import type { List } from './list.entity.js';

// Read here because the schemas, and the API's description made from them, need it when this file is loaded.
const { LIST_NAME_MAX } = loadSettings({ LIST_NAME_MAX: settings.LIST_NAME_MAX });

const name = text(1, LIST_NAME_MAX).describe('Unique among the lists of its owner');

export const newList = z.strictObject({ id: chosenId.optional().describe('Chosen by the client, or by us'), name });
export type NewList = z.infer<typeof newList>;

export const listPatch = z.strictObject({ name: name.optional() });
export type ListPatch = z.infer<typeof listPatch>;

export const listsQuery = pageQuery;
export type ListsQuery = z.infer<typeof listsQuery>;

export const listView = z.object({
  id: z.uuid(),
  name: z.string(),
  ownerId: z.uuid(),
  role: z.literal('owner').describe('What the caller is in this list'),
  openItems: z.number().int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  version: z.number().int(),
});
export type ListView = z.infer<typeof listView>;

export const listPage = pageOf(listView);

export const toListView = (list: List): ListView => ({
  id: list.id,
  name: list.name,
  ownerId: list.ownerId,
  role: 'owner',
  openItems: list.openItems,
  createdAt: list.createdAt.toISOString(),
  updatedAt: list.updatedAt.toISOString(),
  version: list.version,
});
