import { z } from 'zod';
import { days, defineEvent, type Topic } from './event.js';

/** Events of accounts, ids only. Effects that must happen once (a welcome mail) depend on it, never on a compacted topic. */
export const accountsTopic: Topic = { name: 'accounts', cleanup: 'delete', retention: days(30) };

const userRegisteredData = z.object({
  userId: z.uuid(),
  /** False: no mail, for too many were asked for today to this address or from the same network. */
  welcome: z.boolean().optional(),
});
export type UserRegistered = z.infer<typeof userRegisteredData>;

export const userRegistered = defineEvent({
  type: 'user.registered',
  description: 'Somebody registered. Follows the first user.changed of the same account.',
  topic: accountsTopic,
  schema: userRegisteredData,
  example: { userId: '01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f' },
});
