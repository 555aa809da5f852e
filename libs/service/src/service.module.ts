import { type DynamicModule, Module } from '@nestjs/common';
import type { DatabaseOptions } from './data-source.js';
import { DatabaseModule } from './database.module.js';
import { HealthModule } from './health.js';
import { CLEANING, type Cleaning, Housekeeping } from './housekeeping.js';
import { CONFIG } from './settings.js';

/** What every service's root module begins with: its settings as CONFIG, its database, its probes, its housekeeping. All global. */
@Module({})
export class ServiceModule {
  static forRoot(config: object, database: DatabaseOptions, clean: Cleaning = async () => undefined): DynamicModule {
    return {
      module: ServiceModule,
      global: true,
      imports: [HealthModule, DatabaseModule.forRoot(database)],
      providers: [{ provide: CONFIG, useValue: config }, { provide: CLEANING, useValue: clean }, Housekeeping],
      exports: [CONFIG],
    };
  }
}
