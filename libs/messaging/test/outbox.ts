import { Logger } from '@nestjs/common';
import { createDataSource } from '#libs/service';
import { createDatabase } from '#libs/testing';
import { messagingMigrations } from '../src/setup.js';

/** A database with the tables of messaging. */
export async function createOutbox(): ReturnType<typeof createDatabase> {
  const database = await createDatabase();
  const config = { DATABASE_URL: database.url, DATABASE_POOL_SIZE: 1 };
  const dataSource = createDataSource({ entities: [], migrations: messagingMigrations }, config, Logger);
  await dataSource.initialize();
  await dataSource.runMigrations();
  await dataSource.destroy();
  return database;
}
