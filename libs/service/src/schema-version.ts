import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource, Migration } from 'typeorm';
import { createDataSource, type DatabaseConfig, type DatabaseOptions, type Log, MIGRATING } from './data-source.js';

const LOCK_NOT_AVAILABLE = '55P03';
const CONTEXT = 'Schema';

/**
 * Runs the pending migrations, one process at a time (advisory lock), and records which images work on the result.
 * Running it with an older image on a newer schema changes nothing.
 */
export async function migrate(schema: DatabaseOptions, config: DatabaseConfig, log: Log): Promise<void> {
  const dataSource = createDataSource(schema, config, log, MIGRATING);
  await connect(dataSource, log);
  const runner = dataSource.createQueryRunner();
  try {
    // Another process may hold the lock for as long as its migrations take.
    await runner.query('SET lock_timeout = 0');
    await runner.query(`SELECT pg_advisory_lock(hashtext('tasklane.migrations'))`);
    const done = await runPending(dataSource, log);
    await runner.query(`
      CREATE TABLE IF NOT EXISTS schema_version (
        single boolean PRIMARY KEY DEFAULT true CHECK (single),
        version int NOT NULL,
        compatible_from int NOT NULL
      )`);
    await runner.query(
      `INSERT INTO schema_version (version, compatible_from) VALUES ($1, $2)
       ON CONFLICT (single) DO UPDATE SET version = $1, compatible_from = $2 WHERE schema_version.version < $1`,
      [schema.migrations.length, schema.compatibleFrom ?? 1],
    );
    for (const migration of done) log.log(`ran ${migration.name}`, CONTEXT);
    log.log(`schema ${schema.migrations.length} is in place (${done.length} migrations ran)`, CONTEXT);
  } finally {
    // The advisory lock ends with its connection.
    await runner.release();
    await dataSource.destroy();
  }
}

/** Retries when the lock on a table was not free: finished migrations are committed, the others were rolled back. */
async function runPending(dataSource: DataSource, log: Log): Promise<Migration[]> {
  for (;;) {
    try {
      return await dataSource.runMigrations({ transaction: 'each' });
    } catch (error) {
      if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
      log.warn('waiting for the lock of a table that is in use', CONTEXT);
      await sleep(1000);
    }
  }
}

/** Waits until the database answers with a schema that this version supports; logs every 5 s what it waits for. */
export async function awaitSchema(dataSource: DataSource, schema: DatabaseOptions, log: Log): Promise<void> {
  await connect(dataSource, log);
  for (let waited = 0; ; waited += 500) {
    const obstacle = await obstacleTo(dataSource, schema).catch((error: Error) => `cannot read it: ${error.message}`);
    if (obstacle === undefined) return;
    if (waited % 5000 === 0) log.warn(`waiting for the database schema: ${obstacle}`, CONTEXT);
    await sleep(500);
  }
}

async function obstacleTo(dataSource: DataSource, schema: DatabaseOptions): Promise<string | undefined> {
  const needed = schema.migrations.length;
  const [table] = await dataSource.query<{ exists: boolean }[]>(
    `SELECT to_regclass('schema_version') IS NOT NULL AS exists`,
  );
  if (!table?.exists) return `it is empty, this version needs schema ${needed}; run the app with the argument migrate`;
  const [found] = await dataSource.query<{ version: number; compatible_from: number }[]>(
    'SELECT version, compatible_from FROM schema_version',
  );
  if (!found || found.version < needed) {
    return `it is schema ${found?.version ?? 0}, this version needs ${needed}; run the app with the argument migrate`;
  }
  if (found.compatible_from > needed) {
    return `it is schema ${found.version}, which is too new for this version (schema ${needed}); deploy a newer image or roll back`;
  }
  return undefined;
}

async function connect(dataSource: DataSource, log: Log): Promise<void> {
  for (let attempt = 0; !dataSource.isInitialized; attempt++) {
    try {
      await dataSource.initialize();
    } catch (error) {
      if (attempt % 5 === 0) log.warn(`waiting for the database: ${(error as Error).message}`, CONTEXT);
      await sleep(1000);
    }
  }
}
