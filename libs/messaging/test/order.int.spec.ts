import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, testKafka, waitFor } from '#libs/testing';
import { effectsIn, RecordDrawn } from './effects.js';
import { type Replica, type ReplicaOptions, startReplica } from './replica.js';
import { numberDrawn } from './test-events.js';

const EVENTS = 100_000;
const KEYS = 500;
const PER_TRANSACTION = 1000;
/** Half a minute on two free cores; this is for cores that are not free. */
const LIMIT = 150_000;

describe('two relays and two consumers', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let options: ReplicaOptions;
  const replicas: Replica[] = [];

  beforeAll(async () => {
    database = await createDatabase();
    const { brokers, topicPrefix: prefix } = testKafka();
    options = { databaseUrl: database.url, brokers, prefix, controllers: [RecordDrawn] };
    replicas.push(await startReplica(options));
  });

  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.close()));
    await database.drop();
  });

  it(
    `handle ${EVENTS} events once each and in order per key, also while the second one joins`,
    async () => {
      const [first] = replicas;
      const counters = new Map<string, number>();
      for (let i = 0; i < EVENTS; i += PER_TRANSACTION) {
        const entries = Array.from({ length: PER_TRANSACTION }, (_, j) => {
          const key = `key-${(i + j) % KEYS}`;
          const n = (counters.get(key) ?? 0) + 1;
          counters.set(key, n);
          return { event: numberDrawn, key, data: { key, n } };
        });
        await first!.publish(...entries);
        if (i === EVENTS / 4) replicas.push(await startReplica(options));
      }
      const count = async () =>
        Number((await first!.dataSource.query<{ count: string }[]>('SELECT count(*) FROM effects'))[0]?.count);
      await waitFor(async () => (await count()) >= EVENTS, {
        timeout: LIMIT,
        interval: 500,
        what: `${EVENTS} effects`,
      });

      const numbers = Map.groupBy(await effectsIn(first!.dataSource), ({ key }) => key);
      expect(numbers.size).toBe(KEYS);
      const expected = Array.from({ length: EVENTS / KEYS }, (_, index) => index + 1);
      for (const effects of numbers.values()) expect(effects.map(({ n }) => n)).toEqual(expected);
      const [outbox] = await first!.dataSource.query<{ count: string }[]>('SELECT count(*) FROM outbox');
      expect(outbox?.count).toBe('0');
    },
    LIMIT,
  );
});
