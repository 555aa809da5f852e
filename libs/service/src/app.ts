import 'reflect-metadata';
import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import {
  createFastify,
  describeApi,
  installHttpDefaults,
  limitNetworks,
  ProblemFilter,
  serveDocument,
  validationPipe,
} from '#libs/http';
import { isDatabaseUnavailable } from './database.errors.js';
import { injectFaults } from './fault-injection.js';
import { Health } from './health.js';
import { measureRequests } from './metrics.js';
import { logRequests } from './request-log.js';
import type { Service } from './service.js';
import type { serviceSettings } from './service.settings.js';
import type { ConfigOf, Settings } from './settings.js';
import { version } from './version.js';

const PREFIX: Parameters<INestApplication['setGlobalPrefix']> = [
  'api/v1',
  { exclude: ['livez', 'readyz', 'startupz', '.well-known/*path'] },
];

/** The OpenAPI description of a service, from its routes alone: connects to nothing and creates no provider. */
export async function describeService<S extends Settings>(
  { name, app: load }: Pick<Service<S>, 'name' | 'app'>,
  config: ConfigOf<S>,
): Promise<OpenAPIObject> {
  const { createAppModule } = await load();
  const app = await NestFactory.create(createAppModule(config) as Type, createFastify({ trustedHops: 0 }), {
    preview: true,
    logger: false,
  });
  app.setGlobalPrefix(...PREFIX);
  return describeApi(app, name, version, config);
}

/**
 * Creates the application of a service, with the defaults of all services. It does not listen yet: call
 * `startAllMicroservices` and `listen`.
 * @throws what its modules throw while starting, after it has waited for the database and its schema.
 */
export async function createApp<S extends Settings>(
  service: Service<S>,
  config: ConfigOf<S>,
): Promise<NestFastifyApplication> {
  const { createAppModule, createTransports, wholeApi } = await service.app();
  const { TRUSTED_HOPS, RATE_LIMIT_NETWORK, FAULT_LATENCY, FAULT_ERROR_RATE } = config as ConfigOf<
    typeof serviceSettings
  >;
  const adapter = createFastify({ trustedHops: TRUSTED_HOPS });
  const app = await NestFactory.create<NestFastifyApplication>(createAppModule(config) as Type, adapter, {
    bodyParser: false,
    bufferLogs: false,
    abortOnError: false,
  });
  app.setGlobalPrefix(...PREFIX);
  app.useGlobalPipes(validationPipe(config));
  app.useGlobalFilters(new ProblemFilter(isDatabaseUnavailable));
  const health = app.get(Health);
  const fastify = adapter.getInstance();
  installHttpDefaults(fastify, () => health.draining);
  limitNetworks(fastify, RATE_LIMIT_NETWORK);
  measureRequests(fastify);
  logRequests(fastify);
  injectFaults(fastify, { latency: FAULT_LATENCY, errorRate: FAULT_ERROR_RATE });
  for (const transport of createTransports?.(app, config) ?? []) app.connectMicroservice(transport);
  const { name } = service;
  serveDocument(fastify, `/api/v1/${name}`, `Tasklane ${name}`, () => describeApi(app, name, version, config));
  if (wholeApi) serveDocument(fastify, '/api/v1', 'Tasklane', wholeApi);
  return app;
}
