import { z } from 'zod';
import { days, defineEvent, type Topic } from './event.js';

/** Revocations, read by every pod in full. A day is far longer than an access token lives. */
export const sessionsTopic: Topic = { name: 'sessions', cleanup: 'delete', retention: days(1) };

const sessionRevokedData = z.object({
  userId: z.uuid(),
  sessionId: z.uuid(),
  /** When the session's last access token has expired and the revocation can be deleted. */
  forgetAt: z.iso.datetime(),
});
export type SessionRevoked = z.infer<typeof sessionRevokedData>;

export const sessionRevoked = defineEvent({
  type: 'session.revoked',
  description: 'A session ended before its tokens did: by logout, reuse of a refresh token, or erasure of the account.',
  topic: sessionsTopic,
  schema: sessionRevokedData,
  example: {
    userId: '01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f',
    sessionId: '01998d30-0000-7000-8000-000000000001',
    forgetAt: '2026-11-01T09:10:00.000Z',
  },
});
