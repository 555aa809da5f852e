import { z } from 'zod';
import { chosenId, ConfiguredSchema, pageOf, pageQuery, text } from '#libs/http';
import type { Config } from '../config.js';
import type { List } from './list.entity.js';

const nameOf = ({ LIST_NAME_MAX }: Config) => text(1, LIST_NAME_MAX).describe('Unique among the lists of its owner');

export const newList = new ConfiguredSchema((config: Config) =>
  z
    .strictObject({ id: chosenId.optional().describe('Chosen by the client, or by us'), name: nameOf(config) })
    .meta({ id: 'NewList', example: { name: 'Groceries' } }),
);
export type NewList = z.infer<ReturnType<typeof newList.of>>;

export const listPatch = new ConfiguredSchema((config: Config) =>
  z.strictObject({ name: nameOf(config).optional() }).meta({ id: 'ListPatch', example: { name: 'Shopping' } }),
);
export type ListPatch = z.infer<ReturnType<typeof listPatch.of>>;

export const listsQuery = pageQuery;
export type ListsQuery = z.infer<typeof listsQuery>;

const example = {
  id: '01998d30-0000-7000-8000-000000000001',
  name: 'Groceries',
  ownerId: '01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f',
  role: 'owner',
  openItems: 3,
  createdAt: '2026-11-01T09:00:00.000Z',
  updatedAt: '2026-11-02T10:30:00.000Z',
  version: 4,
};

export const listView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    ownerId: z.uuid(),
    role: z.literal('owner').describe('What the caller is in this list'),
    openItems: z.number().int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    version: z.number().int(),
  })
  .meta({ id: 'List', description: 'A list', example: example });
export type ListView = z.infer<typeof listView>;

export const listPage = pageOf('ListPage', 'lists', listView);

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
