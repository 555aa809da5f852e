import { execFileSync } from 'node:child_process';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, waitFor } from '#libs/testing';
import type { Client } from 'pg';
import { RecordDrawn } from '../../test/effects.js';
import { createOutbox } from '../../test/outbox.js';
import { Suite } from '../../test/suite.js';
import { numberDrawn } from '../../test/test-events.js';
import { readOutbox } from './outbox-rows.js';
import { createClient } from './relay.js';

const drawn = (key: string, n = 1) => ({ event: numberDrawn, key, data: { key, n } });
const random = (most: number) => Math.floor(Math.random() * most);

describe('what a relay reads at once', () => {
  let database: Awaited<ReturnType<typeof createOutbox>>;
  let client: Client;

  beforeAll(async () => {
    database = await createOutbox();
    client = createClient(database.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  /** Tombstones, replies, small and large rows, mixed at random. */
  async function fillAtRandom() {
    const rows = Array.from({ length: 30 }, () => ({
      payload: random(3) === 0 ? null : 'x'.repeat(random(100)),
      expires_at: random(4) === 0 ? '2100-01-01' : null,
    }));
    await client.query('TRUNCATE outbox RESTART IDENTITY');
    await client.query(
      `INSERT INTO outbox (shard, topic, key, payload, headers, expires_at)
       SELECT 1, 't', 'k', payload, '{}', expires_at FROM json_to_recordset($1) AS r(payload text, expires_at timestamptz)`,
      [JSON.stringify(rows)],
    );
    return rows.map(({ payload, expires_at }, n) => ({ id: String(n + 1), size: payload?.length ?? 0, expires_at }));
  }

  it('is the beginning of what is there, up to the bytes, whatever the rows are', async () => {
    for (let run = 0; run < 200; run++) {
      const events = (await fillAtRandom()).filter(({ expires_at }) => expires_at === null);
      const bytes = 1 + random(1500);
      let room = bytes;
      const expected = events.filter(({ size }) => {
        const fits = room > 0;
        room -= size;
        return fits;
      });
      const read = (await readOutbox(client, [1], [], '0', bytes)).filter(({ reply }) => !reply);
      expect(read.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    }
  });

  it('is found along indexes, also by a plan that was made while the outbox was empty', async () => {
    await client.query('TRUNCATE outbox');
    await readOutbox(client, [1], [], '0');
    const { rows } = await client.query(`EXPLAIN (FORMAT JSON) EXECUTE relay_read('{1}', '{}', 1000, 0)`);
    const plan = JSON.stringify(rows);
    for (const index of ['outbox_pkey', 'outbox_replies']) expect(plan).toContain(index);
    expect(plan).not.toContain('Seq Scan');
  });
});

/** Drops packets from this local port, if permitted: only the kernel can simulate a node that lost power. */
const drop = (port: number, rule = '-I') =>
  execFileSync('iptables', ['-w', rule, 'INPUT', '-p', 'tcp', '--sport', String(port), '-j', 'DROP'], {
    stdio: 'ignore',
  });
const mayDrop = (): boolean => {
  try {
    drop(9);
    drop(9, '-D');
    return true;
  } catch {
    return false;
  }
};

(mayDrop() ? describe : describe.skip)('the session of a relay whose node is gone', () => {
  it.each([
    ['while it is idle', false],
    ['while a notification is under way to it', true],
  ])('ends within seconds %s', async (_, notified) => {
    const database = await createDatabase();
    const [lost, other] = [createClient(database.url), createClient(database.url)];
    lost.on('error', () => undefined);
    await Promise.all([lost.connect(), other.connect()]);
    await lost.query('LISTEN news');
    const [row] = (await lost.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
    const { localPort } = (lost as unknown as { connection: { stream: Socket } }).connection.stream;
    drop(localPort!);
    try {
      if (notified) await other.query('NOTIFY news');
      const gone = async () =>
        (await other.query('SELECT FROM pg_stat_activity WHERE pid = $1', [row!.pid])).rowCount === 0;
      await waitFor(gone, { what: 'the end of the session', timeout: 12_000, interval: 100 });
    } finally {
      drop(localPort!, '-D');
      await Promise.all([lost.end(), other.end()]);
      await database.drop();
    }
  });
});

describe('a replica that cannot reach Kafka', () => {
  const suite = new Suite({ controllers: [RecordDrawn] });

  it('holds no shard, so that the others send everything', async () => {
    const holders = async () =>
      suite.replica.dataSource.query<{ pid: number }[]>(
        `SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = x'7461736b'::int
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
    await suite.start({ brokers: '127.0.0.1:1' });
    const seen = new Set<number>();
    for (let look = 0; look < 150; look++) {
      for (const { pid } of await holders()) seen.add(pid);
      await sleep(20);
    }
    expect(seen.size).toBe(1);
    await suite.replica.publish(...Array.from({ length: 32 }, (_, n) => drawn(`key-${n}`)));
    await suite.effectsReach(32);
  });
});

describe('replies', () => {
  const suite = new Suite({ controllers: [RecordDrawn] });
  const reply = (topic: string) =>
    suite.replica.dataSource.transaction((tx) =>
      suite.replica.outbox.addReply(tx, {
        topic,
        key: topic,
        payload: '{}',
        headers: {},
        expiresAt: new Date(Date.now() + 60_000),
      }),
    );
  const create = async (topic: string) => {
    const admin = suite.replica.kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
    await admin.disconnect();
  };

  it('to topics that do not exist hold up neither events nor other replies', async () => {
    const [there, late] = [suite.topic('there'), suite.topic('late')];
    await create(there);
    for (let n = 0; n < 40; n++) await reply(suite.topic(`missing-${n}`));
    await reply(late);
    await reply(there);
    const started = performance.now();
    for (let n = 1; n <= 5; n++) {
      await suite.replica.publish(drawn('a', n));
      await suite.effectsReach(n);
    }
    expect(performance.now() - started).toBeLessThan(4000);
    expect(await waitFor(() => suite.readAll(there), { what: 'a reply' })).toHaveLength(1);

    await create(late);
    await waitFor(async () => (await suite.readAll(late)).length === 1, { what: 'the reply that waited' });
  });
});

describe('the liveness of a relay', () => {
  const suite = new Suite();
  const LIMIT = 5 * 60_000;

  it('fails when it only reconnects although PostgreSQL and Kafka answer', async () => {
    const { relay, dataSource } = suite.replica;
    await dataSource.query('ALTER TABLE outbox RENAME TO hidden');
    await sleep(4000);
    expect(relay.fault(performance.now() + LIMIT - 3000)).toMatch(/has not read the outbox for \d+ s/);
    await dataSource.query('ALTER TABLE hidden RENAME TO outbox');
    await waitFor(() => relay.fault(performance.now() + LIMIT - 1000) === undefined);
  });
});
