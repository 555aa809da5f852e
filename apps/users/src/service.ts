import { readFileSync } from 'node:fs';
import type { OpenAPIObject } from '@nestjs/swagger';
import { EventServer } from '#libs/messaging';
import type { Service } from '#libs/service';
import { grantRole, revokeRole } from './commands/roles.command.js';
import { revokeAll } from './commands/revoke-all.command.js';
import { settings } from './config.js';
import { database } from './database.js';
import { grpcServer } from './grpc/grpc-server.js';

/** What `main.js` runs and tests start. The app's module is imported only when it is needed: see Service. */
export const users: Service<typeof settings> = {
  name: 'users',
  settings,
  database,
  commands: { 'grant-role': grantRole, 'revoke-role': revokeRole, 'revoke-all': revokeAll },
  module: async () => (await import('./app.module.js')).createAppModule,
  wholeApi: () =>
    JSON.parse(readFileSync(new URL('./openapi/tasklane.json', import.meta.url), 'utf8')) as OpenAPIObject,
  transports: (app, config) => [{ strategy: app.get(EventServer) }, grpcServer(config)],
};
