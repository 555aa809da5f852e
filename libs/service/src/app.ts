import 'reflect-metadata';
import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { createFastify, describeApi, installHttpDefaults, ProblemFilter, validationPipe } from '#libs/http';
import type { Command } from './command.js';
import { isDatabaseUnavailable } from './database.errors.js';
import type { DatabaseOptions } from './data-source.js';
import { injectFaults } from './fault-injection.js';
import { Health } from './health.js';
import { measureRequests } from './metrics.js';
import { logRequests } from './request-log.js';
import type { serviceSettings } from './service.settings.js';
import type { ConfigOf, Settings } from './settings.js';
import { version } from './version.js';

/** Everything that makes a service of an app. */
export interface Service<S extends Settings> {
  name: string;
  settings: S & typeof serviceSettings;
  database: DatabaseOptions;
  /** The app's module, imported only when the settings are right and telemetry is on. */
  module: () => Promise<(config: ConfigOf<S>) => Type | object>;
  /** The description of the whole API, for the one service that shows it to those who know only the one address. */
  wholeApi?: () => OpenAPIObject;
  /** What `main.js <name>` does besides `migrate`, for operators. */
  commands?: Record<string, Command<ConfigOf<S>>>;
  /** Transports beside HTTP: events, gRPC. They start before HTTP and stop after it. */
  transports?: (app: INestApplication, config: ConfigOf<S>) => MicroserviceOptions[];
}

const PREFIX: Parameters<INestApplication['setGlobalPrefix']> = [
  'api/v1',
  { exclude: ['livez', 'readyz', 'startupz', '.well-known/*path'] },
];

/** The OpenAPI description of a service, from its routes alone: nothing is connected and no provider is made. */
export async function describeService<S extends Settings>(
  service: Pick<Service<S>, 'name' | 'module'>,
  config: ConfigOf<S>,
): Promise<OpenAPIObject> {
  const createModule = await service.module();
  const app = await NestFactory.create(createModule(config) as Type, createFastify({ trustedHops: 0 }), {
    preview: true,
    logger: false,
  });
  app.setGlobalPrefix(...PREFIX);
  return describeApi(app, service.name, version);
}

/**
 * Makes the application of a service, with every default that holds for all of them. It listens to nothing yet: call
 * `startAllMicroservices` and `listen`.
 * @throws what its modules throw while they start, after it waited for the database and its schema.
 */
export async function createApp<S extends Settings>(
  service: Service<S>,
  config: ConfigOf<S>,
): Promise<NestFastifyApplication> {
  const createModule = await service.module();
  const { TRUSTED_HOPS, FAULT_LATENCY, FAULT_ERROR_RATE } = config as ConfigOf<typeof serviceSettings>;
  const adapter = createFastify({ trustedHops: TRUSTED_HOPS });
  const app = await NestFactory.create<NestFastifyApplication>(createModule(config) as Type, adapter, {
    bodyParser: false,
    bufferLogs: false,
    abortOnError: false,
  });
  app.setGlobalPrefix(...PREFIX);
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter(isDatabaseUnavailable));
  const health = app.get(Health);
  const fastify = adapter.getInstance();
  installHttpDefaults(fastify, () => health.draining);
  measureRequests(fastify);
  logRequests(fastify);
  injectFaults(fastify, { latency: FAULT_LATENCY, errorRate: FAULT_ERROR_RATE });
  for (const transport of service.transports?.(app, config) ?? []) app.connectMicroservice(transport);
  serveDocuments(app, service);
  return app;
}

/** `openapi.json` and a page, `docs`, below the service's own path, and the whole API's below /api/v1. */
function serveDocuments<S extends Settings>(app: INestApplication, { name, wholeApi }: Service<S>): void {
  const serve = (path: string, title: string, document: () => OpenAPIObject) =>
    SwaggerModule.setup(`${path}/docs`, app, document, {
      customSiteTitle: title,
      jsonDocumentUrl: `${path}/openapi.json`,
      raw: ['json'],
    });
  serve(`api/v1/${name}`, `Tasklane ${name}`, () => describeApi(app, name, version));
  if (wholeApi) serve('api/v1', 'Tasklane', wholeApi);
}
