import { type DynamicModule, Global, Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntitySchema, type MigrationInterface } from 'typeorm';
import { connectionOptions } from './connection-options.js';
import { PooledClient } from './pooled-client.js';
import { Reader } from './reader.js';
import { awaitSchema, type Schema } from './schema-version.js';
import { CONFIG } from './settings.js';

/** What an app keeps in its database. */
export interface DatabaseOptions extends Schema {
  entities: (Function | EntitySchema)[];
  migrations: (new () => MigrationInterface)[];
}

export interface DatabaseConfig {
  DATABASE_URL: string;
  DATABASE_POOL_SIZE: number;
}

/** A DataSource that is not connected yet. A caller waits at most 8 s for a connection and 15 s for a statement. */
export function createDataSource(options: DatabaseOptions, config: DatabaseConfig): DataSource {
  return new DataSource({
    type: 'postgres',
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL_SIZE,
    entities: options.entities,
    migrations: options.migrations,
    extra: {
      ...connectionOptions,
      Client: PooledClient,
      idleTimeoutMillis: 60_000,
      statement_timeout: 15_000,
      idle_in_transaction_session_timeout: 30_000,
    },
    poolErrorHandler: (error: Error) => new Logger('Database').warn(`a pooled connection was lost: ${error.message}`),
  });
}

/** Provides the app's DataSource once the database answers and has the schema that this version needs. */
@Global()
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    private readonly reader: Reader,
  ) {}

  static forRoot(options: DatabaseOptions): DynamicModule {
    const dataSource = {
      provide: DataSource,
      inject: [CONFIG],
      useFactory: async (config: DatabaseConfig) => {
        // One of the replica's connections is the reader's own.
        const created = createDataSource(options, { ...config, DATABASE_POOL_SIZE: config.DATABASE_POOL_SIZE - 1 });
        await awaitSchema(created, options);
        return created;
      },
    };
    const reader = {
      provide: Reader,
      inject: [DataSource, CONFIG],
      useFactory: (created: DataSource, config: DatabaseConfig) => new Reader(created, config.DATABASE_URL),
    };
    return { module: DatabaseModule, providers: [dataSource, reader], exports: [dataSource, reader] };
  }

  // Global modules shut down after all others, so nobody still needs the pool here.
  async onApplicationShutdown(): Promise<void> {
    await this.reader.close();
    await this.dataSource.destroy();
  }
}
