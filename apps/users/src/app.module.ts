import { readFile } from 'node:fs/promises';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { AuthModule, KEY_SOURCE } from '#libs/auth';
import { EventServer, MessagingModule } from '#libs/messaging';
import { ServiceModule } from '#libs/service';
import { AccountsModule } from './accounts/accounts.module.js';
import type { Config } from './config.js';
import { clean, database } from './database.js';
import { grpcServer } from './grpc/grpc-server.js';
import { GrpcModule } from './grpc/grpc.module.js';
import { KeysModule } from './keys/keys.module.js';
import { Keys } from './keys/keys.service.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { ValidationModule } from './validation/validation.module.js';

export class AppModule {}

/** The whole service: what `main.js` runs and tests start. */
export function createAppModule(config: Config): DynamicModule {
  return {
    module: AppModule,
    imports: [
      ServiceModule.forRoot(config, database, clean),
      MessagingModule.forRoot({ group: 'users' }),
      // Tokens are checked with the keys of this process, not by an HTTP request to itself.
      AuthModule.forRoot({ keys: { provide: KEY_SOURCE, useExisting: Keys }, imports: [KeysModule] }),
      KeysModule,
      AccountsModule,
      SessionsModule,
      ValidationModule,
      GrpcModule,
    ],
  };
}

export const createTransports = (app: INestApplication, config: Config) => [
  { strategy: app.get(EventServer) },
  grpcServer(config),
];

export const wholeApi = async () =>
  JSON.parse(await readFile(new URL('./openapi/tasklane.json', import.meta.url), 'utf8')) as OpenAPIObject;
