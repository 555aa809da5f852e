export { createApp, describeService, type Service } from './app.js';
export { isDatabaseUnavailable, violatedConstraint } from './database.errors.js';
export { Certificates } from './certificates.js';
export { type Command, CommandError } from './command.js';
export { createDataSource, type DatabaseConfig, type DatabaseOptions } from './data-source.js';
export { GrpcCertificates } from './grpc-certificates.js';
export { Health, type HealthTest } from './health.js';
export { Housekeeping } from './housekeeping.js';
export { Reader } from './reader.js';
export { serveHttps } from './https.js';
export { runService } from './run.js';
export { awaitSchema, migrate } from './schema-version.js';
export { ServiceModule } from './service.module.js';
export { databaseSettings, serviceSettings } from './service.settings.js';
export {
  commaSeparated,
  CONFIG,
  type ConfigOf,
  duration,
  loadSettings,
  port,
  type Setting,
  setting,
  type Settings,
  SettingsError,
} from './settings.js';
export { version } from './version.js';
export { Wakeup } from './wakeup.js';
