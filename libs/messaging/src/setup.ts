// What settings and migrations of a service import: loads no Nest.
export { messagingMigrations } from './messaging.migration.js';
export { insertEvents } from './send/insert-events.js';
export { type MessagingConfig, messagingSettings } from './shared/messaging.settings.js';
