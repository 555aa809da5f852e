import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller } from '@nestjs/common';
import { Client } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { OnEvent } from '#libs/messaging';
import { publishInto, type Replica, startReplica } from '../libs/messaging/test/replica.js';
import { numberDrawn, type TestNumber } from '../libs/messaging/test/test-events.js';
import { SHARDS } from '../libs/messaging/src/send/shard-leases.js';
import type { Report, Servers } from './servers.js';

const EVENTS = 50_000;
const SECONDS = 10;
const KEYS = 100;
/** What 20 events a second leave in 35 days. */
const INBOX_ROWS = 60_000_000;
const INBOX_STEP = 1_000_000;
const DEAD_ROWS = 1_000_000;
// As in a service; tests use fewer.
const env = { TOPIC_PARTITIONS: '6', DATABASE_POOL_SIZE: '10' };
const event = (n: number) => {
  const key = `key-${n % KEYS}`;
  return { event: numberDrawn, key, data: { key, n } };
};

/** When the transaction that handled each number was committed. */
const handled = new Map<number, number>();
let underWay: number[] = [];

@Controller()
class TakeNumber {
  @OnEvent(numberDrawn)
  handle({ n }: TestNumber): void {
    underWay.push(n);
  }
}

/** The relay's throughput, and the time from the commit of a cause to that of its effect. */
export async function benchMessaging(servers: Servers, report: Report): Promise<void> {
  await benchRelay(servers, report);
  await benchLatency(servers, report);
}

async function benchRelay(servers: Servers, report: Report): Promise<void> {
  const options = {
    databaseUrl: await servers.createDatabase(),
    brokers: servers.brokers,
    prefix: `bench-${randomUUID()}`,
    env,
  };
  // The first replica creates the tables and topics, and warms up the broker.
  const first = await startReplica(options);
  await first.publish(event(0));
  await emptied(first.dataSource);
  await first.close();
  report.progress(`relay: filling the outbox with ${EVENTS} events`);
  for (let n = 0; n < EVENTS; n += 1000) {
    await publishInto(
      options,
      Array.from({ length: 1000 }, (_, i) => event(n + i)),
    );
  }
  const relay = await startReplica(options);
  const started = performance.now();
  await emptied(relay.dataSource);
  const seconds = (performance.now() - started) / 1000;
  await relay.close();
  report.row('outbox → Kafka', {
    [`${EVENTS} events of 100 keys, one relay, acks=all`]: `${seconds.toFixed(1)} s`,
    'events a second (aim 10,000)': (EVENTS / seconds).toFixed(0),
  });
}

/** The databases of the two services. */
interface Databases {
  sender: string;
  receiver: string;
}

/** @param prepare what is done to the two databases before the events that are measured. */
async function benchLatency(
  servers: Servers,
  report: Report,
  title = 'commit → handled by another service',
  prepare: (databases: Databases) => Promise<void> = async () => undefined,
): Promise<void> {
  const databases = { sender: await servers.createDatabase(), receiver: await servers.createDatabase() };
  const common = { brokers: servers.brokers, prefix: `bench-${randomUUID()}`, env };
  const sender = await startReplica({ ...common, databaseUrl: databases.sender, group: 'sender' });
  const receiver = await startReplica({
    ...common,
    databaseUrl: databases.receiver,
    controllers: [TakeNumber],
    wrap: { dataSource: noteCommits },
  });
  await sender.publish(event(-1));
  await untilHandled(-1);
  await prepare(databases);
  report.progress('latency: looking for the ceiling');
  const ceiling = await publishFor(sender, 5, Infinity);
  report.progress(
    `latency: ${ceiling.rate.toFixed(0)} events a second is the ceiling, now half of it for ${SECONDS} s`,
  );
  const { sent } = await publishFor(sender, SECONDS, ceiling.rate / 2, ceiling.next);
  const delays = [...sent].map(([n, at]) => handled.get(n)! - at).toSorted((a, b) => a - b);
  const at = (share: number) => `${delays[Math.floor(delays.length * share)]!.toFixed(1)} ms`;
  await Promise.all([sender.close(), receiver.close()]);
  report.row(title, {
    'ceiling, one transaction an event on both sides': `${ceiling.rate.toFixed(0)} events a second`,
    'events measured at half of it': String(delays.length),
    'p50 (aim < 20 ms)': at(0.5),
    p90: at(0.9),
    'p99 (aim < 150 ms)': at(0.99),
    max: `${delays.at(-1)!.toFixed(1)} ms`,
  });
}

/** The same latency of a service that is old: its inbox is full, and a backup keeps the dead rows of its outbox. */
export async function benchAged(servers: Servers, report: Report): Promise<void> {
  const millions = (rows: number) => `${rows / 1e6} million`;
  const title = `the same with ${millions(INBOX_ROWS)} rows in the inbox, ${millions(DEAD_ROWS)} dead ones in the outbox and an open snapshot`;
  const clients: Client[] = [];
  const connect = async (connectionString: string) => {
    const client = new Client({ connectionString });
    clients.push(client);
    await client.connect();
    return client;
  };
  try {
    await benchLatency(servers, report, title, async (databases) => {
      const receiver = await connect(databases.receiver);
      for (let n = 0; n < INBOX_ROWS; n += INBOX_STEP) {
        report.progress(`aged: ${millions(n)} rows in the inbox`);
        // From today back to what retention is about to delete, so that it deletes meanwhile.
        await receiver.query(
          `INSERT INTO inbox (consumer, event_id, processed_at)
           SELECT 'tests', gen_random_uuid(), now() - n * interval '36 days' / ${INBOX_ROWS}
             FROM generate_series(${n}, ${n + INBOX_STEP - 1}) AS n`,
        );
      }
      const snapshot = await connect(databases.sender);
      await snapshot.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
      report.progress(`aged: ${millions(DEAD_ROWS)} dead rows in the outbox`);
      const sender = await connect(databases.sender);
      await sender.query(
        `INSERT INTO outbox (shard, topic, key, payload, headers)
         SELECT n % ${SHARDS}, 'none', 'k', repeat('x', 300), '{}' FROM generate_series(1, ${DEAD_ROWS}) AS n;
         DELETE FROM outbox WHERE topic = 'none'`,
      );
    });
  } finally {
    for (const client of clients) await client.end();
  }
}

/** Publishes an event per transaction, at most `perSecond`, and waits until all are handled. */
async function publishFor(sender: Replica, seconds: number, perSecond: number, first = 0) {
  const sent = new Map<number, number>();
  const started = performance.now();
  let next = first;
  const publisher = async () => {
    while (performance.now() - started < seconds * 1000) {
      const n = next++;
      const early = ((n - first) / perSecond) * 1000 - (performance.now() - started);
      if (early > 0) await sleep(early);
      await sender.publish(event(n));
      sent.set(n, performance.now());
    }
  };
  await Promise.all(Array.from({ length: 8 }, publisher));
  for (const n of sent.keys()) await untilHandled(n);
  const rate = sent.size / ((performance.now() - started) / 1000);
  return { sent, rate, next };
}

function noteCommits(dataSource: DataSource): void {
  const original = dataSource.transaction.bind(dataSource) as (
    work: (tx: EntityManager) => Promise<unknown>,
  ) => Promise<unknown>;
  const transaction = async (work: (tx: EntityManager) => Promise<unknown>) => {
    let mine: number[] = [];
    const result = await original(async (tx) => {
      const value = await work(tx);
      mine = underWay;
      underWay = [];
      return value;
    });
    for (const n of mine) handled.set(n, performance.now());
    return result;
  };
  Object.assign(dataSource, { transaction });
}

async function emptied(dataSource: DataSource): Promise<void> {
  for (;;) {
    const [row] = await dataSource.query<[{ left: boolean }]>('SELECT EXISTS (SELECT FROM outbox) AS left');
    if (!row.left) return;
    await sleep(20);
  }
}

async function untilHandled(n: number): Promise<void> {
  const limit = performance.now() + 60_000;
  while (!handled.has(n)) {
    if (performance.now() > limit) throw new Error(`event ${n} was not handled within a minute`);
    await sleep(5);
  }
}
