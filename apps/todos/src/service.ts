import { EventServer } from '#libs/messaging';
import type { Service } from '#libs/service';
import { settings } from './config.js';
import { database } from './database.js';

/** What `main.js` runs and tests start. The app's module is imported only when it is needed: see Service. */
export const todos: Service<typeof settings> = {
  name: 'todos',
  settings,
  database,
  module: async () => (await import('./app.module.js')).createAppModule,
  transports: (app) => [{ strategy: app.get(EventServer) }],
};
