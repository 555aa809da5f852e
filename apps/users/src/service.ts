import type { Service } from '#libs/service/setup';
import { settings } from './config.js';
import { database } from './database.js';

/** What `main.js` runs and tests start. What it imports at its top loads no Nest, so that a migration loads none. */
export const users: Service<typeof settings> = {
  name: 'users',
  settings,
  database,
  app: () => import('./app.module.js'),
  commands: async () => (await import('./commands/commands.js')).commands,
};
