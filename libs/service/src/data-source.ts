import type { LoggerService } from '@nestjs/common';
import { DataSource, type EntitySchema, type MigrationInterface } from 'typeorm';
import { PooledClient } from './pooled-client.js';

export interface DatabaseOptions {
  entities: (Function | EntitySchema)[];
  /** The number of the schema is the number of its migrations. */
  migrations: (new () => MigrationInterface)[];
  /**
   * The oldest schema number whose image still works on this schema. Migrations expand before they contract, so this is
   * raised only in the release that removes what the former one used. Default: 1.
   */
  compatibleFrom?: number;
}

export interface DatabaseConfig {
  DATABASE_URL: string;
  DATABASE_POOL_SIZE: number;
}

/** Logs a line with its context: Nest's `Logger`, or the logger under it where Nest is not loaded. */
export type Log = Pick<LoggerService, 'log' | 'warn'>;

/** Of every connection, in milliseconds where they are times. */
export const connectionOptions = {
  // Longer than starting pods starve others of CPU, shorter than callers commonly wait.
  connectionTimeoutMillis: 8000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
};

const SERVING = { statement_timeout: 15_000, idle_in_transaction_session_timeout: 30_000 };

/** A migration's statements have no time limit, but their wait for a lock has: requests queue behind it. */
export const MIGRATING = { lock_timeout: 3000 };

/** A DataSource that is not connected yet. A caller waits at most 8 s for a connection and, by default, 15 s for a statement. */
export function createDataSource(
  options: DatabaseOptions,
  config: DatabaseConfig,
  log: Log,
  limits: typeof SERVING | typeof MIGRATING = SERVING,
): DataSource {
  return new DataSource({
    type: 'postgres',
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL_SIZE,
    entities: options.entities,
    migrations: options.migrations,
    extra: { ...connectionOptions, ...limits, Client: PooledClient, idleTimeoutMillis: 60_000 },
    poolErrorHandler: (error: Error) => log.warn(`a pooled connection was lost: ${error.message}`, 'Database'),
  });
}
