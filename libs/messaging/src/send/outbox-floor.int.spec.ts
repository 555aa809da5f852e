import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { createOutbox } from '../../test/outbox.js';
import { OutboxFloor } from './outbox-floor.js';
import { readOutbox } from './outbox-rows.js';
import { createClient } from './relay.js';

describe('the floor of an outbox', () => {
  let database: Awaited<ReturnType<typeof createOutbox>>;
  let relay: Client;
  let writer: Client;
  let floor: OutboxFloor;
  let now = 0;

  beforeAll(async () => {
    database = await createOutbox();
    relay = createClient(database.url);
    writer = new Client({ connectionString: database.url });
    await Promise.all([relay.connect(), writer.connect()]);
  });
  beforeEach(async () => {
    await relay.query('TRUNCATE outbox RESTART IDENTITY');
    floor = new OutboxFloor(relay);
  });
  afterAll(async () => {
    await Promise.all([relay.end(), writer.end()]);
    await database.drop();
  });

  const insert = (client: Client, { shard = 1, count = 1 } = {}) =>
    client.query(
      `INSERT INTO outbox (shard, topic, key, payload, headers) SELECT ${shard}, 't', 'k', 'p', '{}' FROM generate_series(1, ${count})`,
    );
  const remove = () => relay.query('DELETE FROM outbox');
  /** As often as a raise takes: one draws an id, the next finds it final. */
  const raise = async (shards = [1]) => {
    for (let n = 0; n < 3; n++) await floor.raise(shards, (now += 10_000));
    return floor.below(shards);
  };
  const read = async (shards = [1]) => (await readOutbox(relay, shards, [], floor.below(shards))).map(({ id }) => id);

  it('rises to the last id that was sent, and stays below the first that was not', async () => {
    await insert(relay, { count: 10 });
    await relay.query('DELETE FROM outbox WHERE id <= 6');
    expect(await raise()).toBe('6');
    expect(await read()).toEqual(['7', '8', '9', '10']);
    await remove();
    expect(await raise()).toBe('10');
  });

  it('never passes an id whose transaction has not ended', async () => {
    await insert(relay);
    await writer.query('BEGIN');
    await insert(writer);
    await insert(relay);
    await remove();
    expect(await raise()).toBe('0');
    await writer.query('COMMIT');
    expect(await read()).toEqual(['2']);
    expect(await raise()).toBe('1');
    expect(await read()).toEqual(['2']);
  });

  it('is not that of a shard that was taken later', async () => {
    await insert(relay, { shard: 2 });
    await insert(relay);
    expect(await raise()).toBe('1');
    expect(await read([1, 2])).toEqual(['1', '2']);
    expect(await raise([1, 2])).toBe('0');
  });

  it('falls when the table is emptied and counts from the beginning', async () => {
    await insert(relay, { count: 100 });
    await remove();
    expect(await raise()).toBe('100');
    await relay.query('TRUNCATE outbox RESTART IDENTITY');
    await insert(relay);
    await raise();
    expect(await read()).toEqual(['1']);
  });

  it('spares a read the dead rows that an open snapshot keeps', async () => {
    await writer.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await writer.query('SELECT 1');
    try {
      await insert(relay, { count: 50_000 });
      await remove();
      const pages = async () => {
        await readOutbox(relay, [1], [], floor.below([1]));
        const explained = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE relay_read('{1}', '{}', 1000, ${floor.below([1])})`;
        const { rows } = await relay.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(explained);
        const [{ Plan }] = rows[0]!['QUERY PLAN'];
        return Plan['Shared Hit Blocks']! + Plan['Shared Read Blocks']!;
      };
      expect(await pages()).toBeGreaterThan(500);
      await raise();
      expect(await pages()).toBeLessThan(20);
    } finally {
      await writer.query('COMMIT');
    }
  });
});
