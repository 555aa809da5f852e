import { z } from 'zod';
import { listPage } from '../lists/lists.schemas.js';

export const overviewQuery = z.strictObject({
  view: z.enum(['full', 'compact']).default('full').describe('compact: ids, names and counts alone, for small devices'),
});
export type OverviewQuery = z.infer<typeof overviewQuery>;

/** What other services know. */
export const overviewParts = ['profile', 'notifications'] as const;
export type OverviewPart = (typeof overviewParts)[number];
const degraded = z.array(z.enum(overviewParts)).describe('The parts that could not be had in time, and are null');

const profile = z
  .object({ id: z.uuid(), email: z.string(), firstName: z.string(), lastName: z.string() })
  .describe('Who the caller is');
export type Profile = z.infer<typeof profile>;

const example = {
  profile: {
    id: '01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f',
    email: 'ada@example.com',
    firstName: 'Ada',
    lastName: 'Lovelace',
  },
  lists: z.globalRegistry.get(listPage)!['example'],
  notifications: { unread: 1 },
  degraded: [],
};

export const overview = z
  .object({
    profile: profile.nullable(),
    lists: listPage,
    notifications: z.object({ unread: z.number().int() }).nullable(),
    degraded,
  })
  .meta({ id: 'Overview', description: 'What a start page shows', example });
export type Overview = z.infer<typeof overview>;

const id = example.profile.id;
export const compactOverview = z
  .object({
    profile: z.tuple([z.uuid(), z.string()]).nullable().describe('Id and first name'),
    lists: z.array(z.tuple([z.uuid(), z.string(), z.number().int()])).describe('Id, name and open items of each'),
    nextCursor: z.string().nullable(),
    unread: z.number().int().nullable(),
    degraded,
  })
  .meta({
    id: 'CompactOverview',
    description: 'The same for small devices',
    example: { profile: [id, 'Ada'], lists: [[id, 'Groceries', 3]], nextCursor: null, unread: 1, degraded: [] },
  });
export type CompactOverview = z.infer<typeof compactOverview>;

export const oneOfTheViews = z.union([overview, compactOverview]).describe('The view that was asked for');

/** Missing parts are null and named in `degraded`. */
export const toOverview = (present: Omit<Overview, 'degraded'>): Overview => ({
  ...present,
  degraded: overviewParts.filter((part) => present[part] === null),
});

export const toCompact = ({ profile, lists, notifications, degraded }: Overview): CompactOverview => ({
  profile: profile && [profile.id, profile.firstName],
  lists: lists.items.map((list) => [list.id, list.name, list.openItems]),
  nextCursor: lists.nextCursor,
  unread: notifications && notifications.unread,
  degraded,
});
