import { ConsoleLogger, Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  createApp,
  type DatabaseConfig,
  loadSettings,
  migrate,
  serveHttps,
  type Service,
  serviceSettings,
  type Settings,
} from '#libs/service';
import { createDatabase } from './database.js';
import { testKafka } from './kafka.js';

export interface TestApp {
  app: NestFastifyApplication;
  url: string;
  /** Its settings; pass them to another `startApp` for a second replica on the same data. */
  env: Record<string, string>;
  /** Stops it, and deletes its database unless that was passed in. */
  close: () => Promise<void>;
}

/**
 * Starts a service as `runService` does, on a database and topics of its own unless `overrides` name others.
 * `overrides` are environment variables, as they would be set for the process.
 */
export async function startApp<S extends Settings>(
  service: Service<S>,
  overrides: Record<string, string> = {},
): Promise<TestApp> {
  Logger.overrideLogger(new ConsoleLogger({ logLevels: ['error', 'fatal'] }));
  const database = overrides.DATABASE_URL ? undefined : await createDatabase();
  const { brokers, topicPrefix } = testKafka();
  const env = {
    DATABASE_URL: database?.url ?? '',
    KAFKA_BROKERS: brokers,
    TOPIC_PREFIX: topicPrefix,
    TOPIC_PARTITIONS: '2',
    ...overrides,
  };
  const config = loadSettings(service.settings as S, env);
  await migrate(service.database, config as unknown as DatabaseConfig, Logger);
  const app = await createApp(service, config);
  const close = async () => {
    await app.close();
    await database?.drop();
  };
  try {
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    await serveHttps(app, loadSettings(serviceSettings, env));
  } catch (error) {
    // Its open connections would keep the test run from ending.
    await close();
    throw error;
  }
  return { app, url: await app.getUrl(), env, close };
}
