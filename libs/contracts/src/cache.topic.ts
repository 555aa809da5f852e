import { z } from 'zod';
import { defineEvent, type Topic } from './event.js';

/** Read by every pod from its start on: what came before concerns no cache of this process. */
export const cacheTopic: Topic = { name: 'cache', cleanup: 'delete', retention: 60 * 60 * 1000 };

const cacheExpiredData = z.object({ userId: z.uuid() });
export type CacheExpired = z.infer<typeof cacheExpiredData>;

export const cacheExpired = defineEvent({
  type: 'cache.expired',
  description: 'Something that the sender answers about somebody has changed: whoever cached it reads it again.',
  topic: cacheTopic,
  schema: cacheExpiredData,
  example: { userId: '01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f' },
});
