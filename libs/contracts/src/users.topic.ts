import { z } from 'zod';
import { days, defineEvent, type Topic } from './event.js';

/** The only topic with personal data. Compacted: the last state of every account, from which services maintain their copies. */
export const usersTopic: Topic = { name: 'users', cleanup: 'compact', retention: days(1) };

export const userState = z.object({
  id: z.uuid(),
  email: z.string(),
  firstName: z.string(),
  lastName: z.string(),
  age: z.number().int().nullable(),
  clubMember: z.boolean(),
  language: z.string(),
  roles: z.array(z.string()),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  version: z.number().int(),
});
export type UserState = z.infer<typeof userState>;

const ada: UserState = {
  id: '01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f',
  email: 'ada@example.com',
  firstName: 'Ada',
  lastName: 'Lovelace',
  age: 36,
  clubMember: true,
  language: 'en',
  roles: [],
  createdAt: '2026-11-01T09:00:00.000Z',
  updatedAt: '2026-11-02T10:30:00.000Z',
  version: 2,
};

export const userChanged = defineEvent({
  type: 'user.changed',
  description: 'An account was created or changed; the data is its whole present state.',
  topic: usersTopic,
  schema: userState,
  example: ada,
});

export const userErased = defineEvent({
  type: 'user.erased',
  description: 'An account was erased. A tombstone: the value is null and the key is the user id.',
  topic: usersTopic,
  schema: z.null(),
  example: null,
});
