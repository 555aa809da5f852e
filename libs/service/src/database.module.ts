import { type DynamicModule, Global, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { createDataSource, type DatabaseConfig, type DatabaseOptions } from './data-source.js';
import { countConnections } from './pool-metrics.js';
import { requireOwnSessions } from './own-sessions.js';
import { Reader } from './reader.js';
import { awaitSchema } from './schema-version.js';
import { CONFIG } from './settings.js';

/** Provides the app's DataSource once the database answers and has the schema that this version needs. */
@Global()
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  private readonly stopCounting: () => void;

  constructor(
    private readonly dataSource: DataSource,
    private readonly reader: Reader,
  ) {
    this.stopCounting = countConnections(dataSource);
  }

  static forRoot(options: DatabaseOptions): DynamicModule {
    const dataSource = {
      provide: DataSource,
      inject: [CONFIG],
      useFactory: async (config: DatabaseConfig) => {
        // One of the replica's connections is the reader's own.
        const created = createDataSource(
          options,
          { ...config, DATABASE_POOL_SIZE: config.DATABASE_POOL_SIZE - 1 },
          Logger,
        );
        const asked = await requireOwnSessions(config);
        await awaitSchema(created, options, Logger);
        if (!asked) await requireOwnSessions(config);
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

  // Global modules shut down after all others, so nothing needs the pool any more.
  async onApplicationShutdown(): Promise<void> {
    this.stopCounting();
    await this.reader.close();
    await this.dataSource.destroy();
  }
}
