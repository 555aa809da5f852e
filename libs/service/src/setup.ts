// What declares a service, and what its commands need: loads no Nest.
export { type Command, CommandError } from './command.js';
export { createDataSource, type DatabaseConfig, type DatabaseOptions } from './data-source.js';
export { runService } from './run.js';
export { awaitSchema, migrate } from './schema-version.js';
export type { Service, ServiceApp } from './service.js';
export { databaseSettings, serviceSettings } from './service.settings.js';
export {
  commaSeparated,
  CONFIG,
  type ConfigOf,
  duration,
  loadSettings,
  port,
  rate,
  type Setting,
  setting,
  type Settings,
  SettingsError,
} from './settings.js';
export { version } from './version.js';
