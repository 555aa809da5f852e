import { IdempotencyKeys1767225600001, IdempotencyOwner1767225650000 } from '#libs/http/setup';
import { messagingMigrations } from '#libs/messaging/setup';
import type { DatabaseOptions } from '#libs/service/setup';
import { CreateRecipients1767225610000 } from './migrations/1767225610000-create-recipients.js';
import { CreateDeliveries1767225620000 } from './migrations/1767225620000-create-deliveries.js';
import { CreateNotifications1767225670000 } from './migrations/1767225670000-create-notifications.js';

/** The schema of this service. Its tables are worked on set by set: SQL, no entities. */
export const database: DatabaseOptions = {
  entities: [],
  migrations: [
    ...messagingMigrations,
    IdempotencyKeys1767225600001,
    CreateRecipients1767225610000,
    CreateDeliveries1767225620000,
    IdempotencyOwner1767225650000,
    CreateNotifications1767225670000,
  ],
};
