import { messagingMigrations } from '#libs/messaging/setup';
import type { DatabaseOptions } from '#libs/service/setup';
import { CreateRecipients1767225610000 } from './migrations/1767225610000-create-recipients.js';
import { CreateDeliveries1767225620000 } from './migrations/1767225620000-create-deliveries.js';

/** The schema of this service. Its tables are a queue and a copy, worked on set by set: SQL, no entities. */
export const database: DatabaseOptions = {
  entities: [],
  migrations: [...messagingMigrations, CreateRecipients1767225610000, CreateDeliveries1767225620000],
};
