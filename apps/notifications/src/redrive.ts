import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import { createDataSource, databaseSettings, loadSettings, SettingsError } from '#libs/service';
import { database } from './database.js';
import { DeliveryQueue } from './deliveries/delivery-queue.js';

/**
 * Sends dead mails again: `node dist/apps/notifications/src/redrive.js [--template welcome]`, with DATABASE_URL set. The
 * running senders lease them within a second.
 */
async function redrive(): Promise<void> {
  const { values } = parseArgs({ options: { template: { type: 'string' } } });
  const dataSource = createDataSource(database, loadSettings(databaseSettings), Logger);
  await dataSource.initialize();
  try {
    const count = await new DeliveryQueue(dataSource).redrive(values.template);
    process.stdout.write(`${count} dead ${count === 1 ? 'mail is' : 'mails are'} due again\n`);
  } finally {
    await dataSource.destroy();
  }
}

redrive().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(error instanceof SettingsError ? 78 : 1);
});
