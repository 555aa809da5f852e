import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '#libs/service';
import { createDatabase } from '#libs/testing';
import { Client } from 'pg';
import { Housekeeping } from './housekeeping.js';
import { messagingMigration } from '../messaging.migration.js';
import { metrics } from '../shared/metrics.js';

describe('housekeeping', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let client: Client;

  beforeAll(async () => {
    database = await createDatabase();
    const config = { DATABASE_URL: database.url, DATABASE_POOL_SIZE: 2 };
    const dataSource = createDataSource({ entities: [], migrations: [messagingMigration] }, config);
    await dataSource.initialize();
    await dataSource.runMigrations();
    await dataSource.destroy();
    client = new Client({ connectionString: database.url });
    await client.connect();
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  const texts = async (query: string) => (await client.query<{ text: string }>(query)).rows.map(({ text }) => text);

  it('forgets what no topic can bring back and replies that nobody waits for, in batches, and measures the rest', async () => {
    await client.query(`
      INSERT INTO inbox (consumer, event_id, processed_at)
      SELECT 'c', 'old-' || n, now() - interval '36 days' FROM generate_series(1, 2500) AS n
      UNION ALL SELECT 'c', 'recent', now() - interval '34 days'`);
    await client.query(`
      INSERT INTO outbox (shard, topic, key, headers, created_at, expires_at) VALUES
        (1, 'replies', 'late', '{}', now(), now() - interval '1 second'),
        (1, 'replies', 'awaited', '{}', now(), now() + interval '1 hour'),
        (1, 'events', 'kept', '{}', now() - interval '1 hour', NULL)`);
    const housekeeping = new Housekeeping();
    await housekeeping.run(client, 1);
    // A full batch means that there may be more, so the next round is not far away.
    await housekeeping.run(client, 1500);
    expect(await texts('SELECT event_id AS text FROM inbox')).toEqual(['recent']);
    expect(await texts('SELECT key AS text FROM outbox ORDER BY id')).toEqual(['awaited', 'kept']);
    await client.query(`INSERT INTO inbox VALUES ('c', 'old again', now() - interval '1 year')`);
    await housekeeping.run(client, 3000);
    expect(await texts('SELECT event_id AS text FROM inbox')).toContain('old again');
    await housekeeping.run(client, 20_000);
    expect(await texts('SELECT event_id AS text FROM inbox')).toEqual(['recent']);
    expect((await metrics.outboxPending.get()).values[0]?.value).toBe(2);
    expect((await metrics.outboxAge.get()).values[0]?.value).toBeGreaterThan(3500);
  });
});
