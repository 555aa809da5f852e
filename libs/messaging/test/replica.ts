import { ConsoleLogger, Logger, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  awaitSchema,
  createDataSource,
  type DatabaseOptions,
  databaseSettings,
  Health,
  loadSettings,
  migrate,
  ServiceModule,
} from '#libs/service';
import type { RequestDefinition } from '#libs/contracts';
import { Kafka } from 'kafkajs';
import { DataSource } from 'typeorm';
import {
  EventServer,
  KafkaRequester,
  MessagingModule,
  messagingMigrations,
  messagingSettings,
  Outbox,
  TopicNames,
} from '../src/index.js';
import { Relay } from '../src/send/relay.js';
import { EffectsMigration } from './effects.js';
import { testEvents } from './test-events.js';

export interface ReplicaOptions {
  databaseUrl: string;
  brokers: string;
  prefix: string;
  group?: string;
  controllers?: Type[];
  requests?: RequestDefinition[];
  /** More settings, by their environment variables. */
  env?: Record<string, string>;
  /** Replaces the Kafka client and the DataSource, to act between two steps. */
  wrap?: { kafka?: (kafka: Kafka) => Kafka; dataSource?: (dataSource: DataSource) => void };
}

/** One process of a service, as far as messaging is concerned. */
export interface Replica {
  dataSource: DataSource;
  outbox: Outbox;
  requester: KafkaRequester;
  relay: Relay;
  health: Health;
  events: EventServer;
  kafka: Kafka;
  /** Adds events in a transaction of their own. */
  publish: (...entries: Parameters<Outbox['addAll']>[1]) => Promise<void>;
  close: () => Promise<void>;
}

const database: DatabaseOptions = { entities: [], migrations: [...messagingMigrations, EffectsMigration] };

/** Quick retries, so that suites end soon; everything else as in production. */
const QUICK = { EVENT_RETRY_DELAYS: '50ms,100ms,150ms', TOPIC_PARTITIONS: '3', DATABASE_POOL_SIZE: '6' };

export async function startReplica(options: ReplicaOptions): Promise<Replica> {
  Logger.overrideLogger(
    new ConsoleLogger({ logLevels: process.env.TEST_LOG ? ['log', 'warn', 'error', 'debug'] : [] }),
  );
  const config = loadSettings(
    { ...databaseSettings, ...messagingSettings },
    {
      DATABASE_URL: options.databaseUrl,
      KAFKA_BROKERS: options.brokers,
      TOPIC_PREFIX: options.prefix,
      ...QUICK,
      ...options.env,
    },
  );
  await migrate(database, config, Logger);

  @Module({
    controllers: options.controllers ?? [],
    imports: [ServiceModule.forRoot(config, database), messagingModule(options)],
  })
  class ReplicaModule {}

  const app = await NestFactory.create(ReplicaModule, new FastifyAdapter(), { abortOnError: false });
  const dataSource = app.get(DataSource);
  options.wrap?.dataSource?.(dataSource);
  const outbox = app.get(Outbox);
  app.connectMicroservice({ strategy: app.get(EventServer) });
  await app.startAllMicroservices();
  await app.init();
  return {
    dataSource,
    outbox,
    requester: app.get(KafkaRequester),
    relay: app.get(Relay),
    health: app.get(Health),
    events: app.get(EventServer),
    kafka: app.get(Kafka),
    publish: (...entries) => dataSource.transaction((tx) => outbox.addAll(tx, entries)),
    close: () => app.close(),
  };
}

/** Leaves events in the outbox of a database that no replica of this process serves. */
export async function publishInto(
  { databaseUrl, prefix }: Pick<ReplicaOptions, 'databaseUrl' | 'prefix'>,
  entries: Parameters<Outbox['addAll']>[1],
): Promise<void> {
  const dataSource = createDataSource(database, { DATABASE_URL: databaseUrl, DATABASE_POOL_SIZE: 2 }, Logger);
  await awaitSchema(dataSource, database, Logger);
  const outbox = new Outbox(dataSource, { wake: () => undefined }, new TopicNames(prefix, 'tests', 3));
  await dataSource.transaction((tx) => outbox.addAll(tx, entries));
  await dataSource.destroy();
}

function messagingModule({ group = 'tests', requests = [], wrap }: ReplicaOptions) {
  const module = MessagingModule.forRoot({ group, events: testEvents, requests });
  if (!wrap?.kafka) return module;
  const { kafka } = wrap;
  const providers = module.providers?.map((provider) => {
    if (!('useFactory' in provider) || provider.provide !== Kafka) return provider;
    return { ...provider, useFactory: (...args: unknown[]) => kafka(provider.useFactory(...args) as Kafka) };
  });
  return { ...module, providers };
}
