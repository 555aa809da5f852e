// What the settings and the database of a service are made of: loads no Nest.
export { messagingMigrations } from './messaging.migration.js';
export { insertEvents } from './send/insert-events.js';
export { type MessagingConfig, messagingSettings } from './shared/messaging.settings.js';
