import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { createDataSource } from '#libs/service';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { RecordDrawn } from '../../test/effects.js';
import { createOutbox } from '../../test/outbox.js';
import { Suite } from '../../test/suite.js';
import { numberDrawn, testEvents } from '../../test/test-events.js';
import { metrics } from '../shared/metrics.js';
import { PRUNE, Retention } from './retention.js';

const fill = (name: string, count: number, age: string) => `
  INSERT INTO inbox (consumer, event_id, processed_at)
  SELECT 'c', '${name}-' || n, now() - interval '${age}' FROM generate_series(1, ${count}) AS n`;

describe('retention', () => {
  let database: Awaited<ReturnType<typeof createOutbox>>;
  let dataSource: DataSource;
  let retention: Retention;

  beforeAll(async () => {
    database = await createOutbox();
    const config = { DATABASE_URL: database.url, DATABASE_POOL_SIZE: 3 };
    dataSource = createDataSource({ entities: [], migrations: [] }, config, Logger);
    await dataSource.initialize();
    retention = new Retention(dataSource, { events: testEvents });
  });
  beforeEach(() => dataSource.query('TRUNCATE inbox, outbox'));
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const texts = async (query: string) =>
    (await dataSource.query<{ text: string }[]>(query)).map(({ text }) => text).toSorted();

  it('removes from the inbox what no topic can bring back, in batches', async () => {
    await dataSource.query(fill('old', 2500, '36 days'));
    await dataSource.query(fill('recent', 1, '34 days'));
    expect([await retention.prune(), await retention.prune(), await retention.prune()]).toEqual([2000, 500, 0]);
    expect(await texts('SELECT event_id AS text FROM inbox')).toEqual(['recent-1']);
  });

  it('finds what it removes without reading the rest', async () => {
    await dataSource.query(fill('recent', 50_000, '1 day'));
    await dataSource.query('ANALYZE inbox');
    const plan = JSON.stringify(await dataSource.query(`EXPLAIN (FORMAT JSON) ${PRUNE}`, [3_000_000_000]));
    expect(plan).toContain('inbox_by_time');
    expect(plan).not.toContain('Seq Scan');
  });

  it('is the work of one replica at a time', async () => {
    await dataSource.query(fill('old', 10, '36 days'));
    await dataSource.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('tasklane.retention'))`);
      expect(await retention.prune()).toBe(0);
    });
    expect(await retention.prune()).toBe(10);
  });

  it('drops replies that nobody took in time, and measures the rest of the outbox', async () => {
    await dataSource.query(`
      INSERT INTO outbox (shard, topic, key, headers, created_at, expires_at) VALUES
        (1, 'replies', 'late', '{}', now(), now() - interval '1 second'),
        (1, 'replies', 'awaited', '{}', now(), now() + interval '1 hour'),
        (1, 'events', 'kept', '{}', now() - interval '1 hour', NULL)`);
    await retention.dropReplies();
    expect(await texts('SELECT key AS text FROM outbox')).toEqual(['awaited', 'kept']);
    await retention.measure();
    expect((await metrics.outboxPending.get()).values[0]?.value).toBe(2);
    expect((await metrics.outboxAge.get()).values[0]?.value).toBeGreaterThan(3500);
  });
});

describe('while a prune of the inbox takes for ever', () => {
  const suite = new Suite({ controllers: [RecordDrawn] });

  it('events flow all the same', async () => {
    await suite.close(suite.replica);
    const admin = new Client({ connectionString: suite.options.databaseUrl });
    await admin.connect();
    await admin.query(fill('old', 10, '36 days'));
    await admin.query(`
      CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN OLD; END';
      CREATE TRIGGER slow BEFORE DELETE ON inbox FOR EACH ROW EXECUTE FUNCTION sleep()`);
    suite.replica = await suite.start();
    await suite.replica.publish({ event: numberDrawn, key: 'a', data: { key: 'a', n: 1 } });
    await suite.effectsReach(1);
    await admin.end();
  });
});
