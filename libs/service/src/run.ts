import 'reflect-metadata';
import { Logger, type INestApplication, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import { createFastify, describeApi, installHttpDefaults, ProblemFilter, validationPipe } from '#libs/http';
import { isDatabaseUnavailable } from './database.errors.js';
import { createDataSource, type DatabaseConfig, type DatabaseOptions } from './database.module.js';
import { installDraining } from './drain.js';
import { Health } from './health.js';
import { createLogger, NestLogger } from './logger.js';
import { measureRequests, serveMetrics } from './metrics.js';
import { logRequests } from './request-log.js';
import { migrate } from './schema-version.js';
import type { serviceSettings } from './service.settings.js';
import { type ConfigOf, loadSettings, type Settings, SettingsError } from './settings.js';
import { startTelemetry } from './telemetry.js';
import { version } from './version.js';

/** Everything that makes a service of an app. */
export interface Service<S extends Settings> {
  name: string;
  settings: S & typeof serviceSettings;
  database: DatabaseOptions;
  /** The app's module, imported only when the settings are right and telemetry is on. */
  module: () => Promise<(config: ConfigOf<S>) => Type | object>;
  /** Transports beside HTTP: events, gRPC. They start before HTTP and stop after it. */
  transports?: (app: INestApplication, config: ConfigOf<S>) => MicroserviceOptions[];
}

/** sysexits.h EX_CONFIG: the settings are wrong, so starting again will not help. */
const EXIT_CONFIG = 78;

/**
 * Runs a service from its settings to its last answer: `main.js` serves, `main.js migrate` brings the database's schema up to
 * date and ends. Wrong settings end the process with 78 and one message that lists all faults.
 */
export async function runService<S extends Settings>(service: Service<S>): Promise<void> {
  const config = settingsOrExit(service.settings) as ConfigOf<S & typeof serviceSettings>;
  const logger = createLogger(service.name, config.LOG_LEVEL as string);
  Logger.overrideLogger(new NestLogger(logger));
  const [command] = process.argv.slice(2);
  if (command === 'migrate') return runMigrations(service.database, config as unknown as DatabaseConfig);
  if (command !== undefined) {
    process.stderr.write(`unknown command "${command}": use no argument to serve, or migrate\n`);
    process.exit(64);
  }
  await startTelemetry(service.name);
  const app = await createApp(service, config as ConfigOf<S>, config as unknown as ServeConfig);
  const metrics = await serveMetrics(service.name, config.METRICS_PORT as number);
  await app.startAllMicroservices();
  await app.listen(config.PORT as number, '0.0.0.0');
  app.getHttpServer().once('close', () => metrics.close());
  new Logger('Service').log(
    `${service.name} ${version} serves on port ${String(config.PORT)}, metrics on ${String(config.METRICS_PORT)}`,
  );
}

interface ServeConfig {
  TRUSTED_HOPS: number;
  DRAIN_DELAY: number;
}

async function createApp<S extends Settings>(
  service: Service<S>,
  config: ConfigOf<S>,
  serve: ServeConfig,
): Promise<NestFastifyApplication> {
  const createModule = await service.module();
  const adapter = createFastify({ trustedHops: serve.TRUSTED_HOPS });
  const app = await NestFactory.create<NestFastifyApplication>(createModule(config) as Type, adapter, {
    bodyParser: false,
    bufferLogs: false,
  });
  app.setGlobalPrefix('api/v1', { exclude: ['livez', 'readyz', 'startupz', '.well-known/*path'] });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter(isDatabaseUnavailable));
  const isDraining = installDraining(app, app.get(Health), serve.DRAIN_DELAY);
  const fastify = adapter.getInstance();
  installHttpDefaults(fastify as never, isDraining);
  measureRequests(fastify as never);
  logRequests(fastify as never);
  for (const transport of service.transports?.(app, config) ?? []) app.connectMicroservice(transport);
  SwaggerModule.setup(`api/v1/${service.name}/docs`, app, () => describeApi(app, service.name, version), {
    customSiteTitle: `Tasklane ${service.name}`,
  });
  return app;
}

function settingsOrExit<S extends Settings>(settings: S): ConfigOf<S> {
  try {
    return loadSettings(settings);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT_CONFIG);
  }
}

async function runMigrations(options: DatabaseOptions, config: DatabaseConfig): Promise<void> {
  const dataSource = createDataSource(options, config);
  await migrate(dataSource, options);
  await dataSource.destroy();
}
