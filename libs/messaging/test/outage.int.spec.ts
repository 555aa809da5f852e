import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type OwnKafka, ownKafka, type OwnPostgres, ownPostgres, waitFor } from '#libs/testing';
import { effectsIn, RecordDrawn } from './effects.js';
import { type Replica, startReplica } from './replica.js';
import { numberDrawn } from './test-events.js';

const KEYS = 4;
/** Long enough for a stuck consumer to be reported: one and a half times EVENT_STUCK_AFTER, plus the requests. */
const OUTAGE = 5500;

describe('when a server is killed and comes back', () => {
  let postgres: OwnPostgres;
  let kafka: OwnKafka;
  let replica: Replica;
  let published = 0;

  beforeAll(async () => {
    [postgres, kafka] = await Promise.all([ownPostgres(), ownKafka()]);
    replica = await startReplica({
      databaseUrl: postgres.url,
      brokers: kafka.brokers,
      prefix: 'outage',
      controllers: [RecordDrawn],
      env: { EVENT_STUCK_AFTER: '2s', EVENT_ORDERED_STUCK_AFTER: '2s' },
    });
    await publishUntil(() => published >= KEYS);
    await expectAllOnceAndInOrder();
  });

  afterAll(async () => {
    await replica.close();
    await Promise.all([postgres.remove(), kafka.remove()]);
  });

  /** Publishes about every 5 ms until `done`; an event counts when its transaction was committed. */
  async function publishUntil(done: () => boolean): Promise<void> {
    while (!done()) {
      const n = Math.floor(published / KEYS) + 1;
      const key = `key-${published % KEYS}`;
      await replica.publish({ event: numberDrawn, key, data: { key, n } }).then(
        () => published++,
        () => sleep(50),
      );
      await sleep(5);
    }
  }

  async function outageOf(server: OwnPostgres | OwnKafka): Promise<(string | undefined)[]> {
    let over = false;
    const publishing = publishUntil(() => over);
    await sleep(300);
    await server.kill();
    await sleep(OUTAGE);
    // The relay's answer as if the outage had lasted for minutes.
    const later = performance.now() + 5 * 60_000 - 4000;
    const faults = [await replica.health.liveness.get('events')!(), replica.relay.fault(later)];
    await server.start();
    await sleep(300);
    over = true;
    await publishing;
    return faults;
  }

  async function expectAllOnceAndInOrder(): Promise<void> {
    const effects = await waitFor(
      async () => {
        const found = await effectsIn(replica.dataSource);
        return found.length >= published ? found : undefined;
      },
      { timeout: 40_000, what: `${published} effects` },
    );
    expect(new Set(effects.map(({ event_id }) => event_id)).size).toBe(effects.length);
    for (const ofKey of Map.groupBy(effects, ({ key }) => key).values()) {
      // A commit whose answer was lost lets the publisher add the same number again, as another event.
      const numbers = [...new Set(ofKey.map(({ n }) => n))];
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    }
    await waitFor(async () => (await replica.dataSource.query('SELECT FROM outbox')).length === 0, {
      what: 'an empty outbox',
    });
  }

  it('Kafka: nothing is lost, doubled or reordered, and liveness does not fail', async () => {
    expect(await outageOf(kafka)).toEqual([undefined, undefined]);
    await expectAllOnceAndInOrder();
  });

  it('PostgreSQL: nothing is lost, doubled or reordered, and liveness does not fail', async () => {
    expect(await outageOf(postgres)).toEqual([undefined, undefined]);
    await expectAllOnceAndInOrder();
  });
});
