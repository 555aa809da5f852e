import type { EntityManager } from 'typeorm';
import { forgetIdempotencyKeys, IdempotencyKeys1767225600001, IdempotencyOwner1767225650000 } from '#libs/http/setup';
import { messagingMigrations } from '#libs/messaging/setup';
import type { DatabaseOptions } from '#libs/service/setup';
import { User } from './accounts/user.entity.js';
import { SigningKey } from './keys/signing-key.entity.js';
import { CreateUsers1767225610000 } from './migrations/1767225610000-create-users.js';
import { CreateSessions1767225620000 } from './migrations/1767225620000-create-sessions.js';
import { CreateSigningKeys1767225630000 } from './migrations/1767225630000-create-signing-keys.js';
import { AddRoles1767225640000 } from './migrations/1767225640000-add-roles.js';
import { AddSessionSalt1767225660000 } from './migrations/1767225660000-add-session-salt.js';
import { CreateMailCounts1767225680000 } from './migrations/1767225680000-create-mail-counts.js';
import { LimitCounts1767225690000 } from './migrations/1767225690000-limit-counts.js';
import { Session } from './sessions/session.entity.js';

/** The schema of this service. */
export const database: DatabaseOptions = {
  entities: [User, Session, SigningKey],
  migrations: [
    ...messagingMigrations,
    IdempotencyKeys1767225600001,
    CreateUsers1767225610000,
    CreateSessions1767225620000,
    CreateSigningKeys1767225630000,
    AddRoles1767225640000,
    IdempotencyOwner1767225650000,
    AddSessionSalt1767225660000,
    CreateMailCounts1767225680000,
    LimitCounts1767225690000,
  ],
};

/** Deletes sessions that nobody can use any more, kept answers, and counts whose window has ended. */
export async function clean(tx: EntityManager): Promise<void> {
  await tx.query('DELETE FROM sessions WHERE expires_at < now() OR revoked_at IS NOT NULL');
  await tx.query('DELETE FROM limit_counts WHERE until <= now()');
  await forgetIdempotencyKeys(tx);
}
