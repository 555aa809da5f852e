import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createDatabase } from '#libs/testing';
import { migrate } from './schema-version.js';

const migration = (name: string, statement: string) =>
  class implements MigrationInterface {
    readonly name = name;
    up = (runner: QueryRunner): Promise<void> => runner.query(statement);
    down = async (): Promise<void> => undefined;
  };

describe('migrations', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let client: pg.Client;
  beforeEach(async () => {
    database = await createDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('CREATE TABLE things (n int)');
  });
  afterEach(async () => {
    await client.end();
    await database.drop();
  });

  const run = (...migrations: ReturnType<typeof migration>[]) =>
    migrate({ entities: [], migrations }, { DATABASE_URL: database.url, DATABASE_POOL_SIZE: 2 }, Logger);

  it('have no limit of time for a statement, unlike requests', async () => {
    await run(
      migration(
        'Limits1767225600000',
        `CREATE TABLE limits AS SELECT current_setting('statement_timeout') AS statement`,
      ),
    );
    expect((await client.query('SELECT * FROM limits')).rows).toEqual([{ statement: '0' }]);
  });

  it('step back from a lock that is not free, so that nobody queues behind them, and try again', async () => {
    const reader = new pg.Client({ connectionString: database.url });
    await reader.connect();
    try {
      await client.query('BEGIN; SELECT FROM things');
      let done = false;
      const migrated = run(migration('AddM1767225600000', 'ALTER TABLE things ADD COLUMN m int')).then(
        () => (done = true),
      );
      await sleep(1000);
      // It waits behind the migration, which waits behind the open transaction.
      await reader.query('SELECT FROM things');
      expect(done).toBe(false);
      await client.query('COMMIT');
      await migrated;
      expect((await reader.query('SELECT m FROM things')).rows).toEqual([]);
    } finally {
      await reader.end();
    }
  });

  it('run once when two processes start them, however long the first takes', async () => {
    const slow = migration('Slow1767225600000', 'INSERT INTO things SELECT 1 FROM pg_sleep(4)');
    await Promise.all([run(slow), run(slow)]);
    expect((await client.query('SELECT n FROM things')).rows).toEqual([{ n: 1 }]);
  });
});
