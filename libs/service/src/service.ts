import type { INestApplication, Type } from '@nestjs/common';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { Command } from './command.js';
import type { DatabaseOptions } from './data-source.js';
import type { serviceSettings } from './service.settings.js';
import type { ConfigOf, Settings } from './settings.js';

export interface Service<S extends Settings> {
  name: string;
  settings: S & typeof serviceSettings;
  database: DatabaseOptions;
  /** What serves, imported only once the settings are valid and telemetry runs, and never by a command. */
  app: () => Promise<ServiceApp<S>>;
  /** The commands of `main.js <name>` besides `migrate`, for operators; imported when one is given. */
  commands?: () => Promise<Record<string, Command<ConfigOf<S>>>>;
}

export interface ServiceApp<S extends Settings> {
  createAppModule: (config: ConfigOf<S>) => Type | object;
  /** Transports beside HTTP: events, gRPC. They start before HTTP and stop after it. */
  createTransports?: (app: INestApplication, config: ConfigOf<S>) => MicroserviceOptions[];
  /** The description of the whole API, set by the one service that serves it at the common address. */
  wholeApi?: () => Promise<OpenAPIObject>;
}
