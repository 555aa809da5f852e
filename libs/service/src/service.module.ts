import { type DynamicModule, Module } from '@nestjs/common';
import { DatabaseModule, type DatabaseOptions } from './database.module.js';
import { HealthModule } from './health.js';
import { CONFIG } from './settings.js';

/** What every service's root module begins with: its settings as CONFIG, its database, its probes. All are global. */
@Module({})
export class ServiceModule {
  static forRoot(config: object, database: DatabaseOptions): DynamicModule {
    return {
      module: ServiceModule,
      global: true,
      imports: [HealthModule, DatabaseModule.forRoot(database)],
      providers: [{ provide: CONFIG, useValue: config }],
      exports: [CONFIG],
    };
  }
}
