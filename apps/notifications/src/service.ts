import type { Service } from '#libs/service/setup';
import { settings } from './config.js';
import { database } from './database.js';

/** What `main.js` runs and tests start. What it imports at its top loads no Nest, so that a migration loads none. */
export const notifications: Service<typeof settings> = {
  name: 'notifications',
  settings,
  database,
  app: () => import('./app.module.js'),
};
