import type { INestApplication, Type } from '@nestjs/common';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { Command } from './command.js';
import type { DatabaseOptions } from './data-source.js';
import type { serviceSettings } from './service.settings.js';
import type { ConfigOf, Settings } from './settings.js';

/** Everything that makes a service of an app. */
export interface Service<S extends Settings> {
  name: string;
  settings: S & typeof serviceSettings;
  database: DatabaseOptions;
  /** What serves, imported only then: when the settings are right and telemetry is on, and by no command. */
  app: () => Promise<ServiceApp<S>>;
  /** What `main.js <name>` does besides `migrate`, for operators; imported when one is given. */
  commands?: () => Promise<Record<string, Command<ConfigOf<S>>>>;
}

/** What `app.module.ts` exports. */
export interface ServiceApp<S extends Settings> {
  createAppModule: (config: ConfigOf<S>) => Type | object;
  /** Transports beside HTTP: events, gRPC. They start before HTTP and stop after it. */
  createTransports?: (app: INestApplication, config: ConfigOf<S>) => MicroserviceOptions[];
  /** The description of the whole API, for the one service that shows it to those who know only the one address. */
  wholeApi?: () => OpenAPIObject;
}
