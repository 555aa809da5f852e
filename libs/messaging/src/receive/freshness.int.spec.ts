import { Controller, type Type } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type OwnKafka, ownKafka, waitFor } from '#libs/testing';
import { type Replica, startReplica } from '../../test/replica.js';
import { headersOf, Suite } from '../../test/suite.js';
import { noticeGiven, numberDrawn, type TestNumber } from '../../test/test-events.js';
import { uuidv7 } from '../kafka/cloud-event.js';
import type { Freshness } from './freshness.js';
import { OnEvent } from './on-event.js';

/** Hangs at `hangs` until it is released; a class of its own for each replica. */
function listener() {
  const heard: string[] = [];
  const hanging = Promise.withResolvers<void>();

  @Controller()
  class Listener {
    @OnEvent(noticeGiven, { broadcast: { last: 0 } })
    async notice({ text }: { text: string }): Promise<void> {
      if (text === 'hangs') await hanging.promise;
      heard.push(text);
    }

    @OnEvent(numberDrawn, { broadcast: true })
    number({ n }: TestNumber): void {
      heard.push(String(n));
    }
  }
  return { heard, release: hanging.resolve, controller: Listener as Type };
}

const WITHIN = 1000;
const freshnessOf = ({ events }: Replica) => events.freshness(noticeGiven.topic, WITHIN);
const proven = (freshness: Freshness, timeout?: number) =>
  waitFor(() => freshness.isProven, { what: 'a proof', timeout });

describe('the memory that broadcasts maintain', () => {
  const first = listener();
  const suite = new Suite({ controllers: [first.controller] });
  const give = (text: string) => suite.replica.publish({ event: noticeGiven, key: text, data: { text } });

  it('is current once all that was sent has been handled, and not while something has not', async () => {
    const freshness = freshnessOf(suite.replica);
    expect(freshness.isProven).toBe(false);
    await proven(freshness);
    await give('one');
    await waitFor(() => first.heard.includes('one'));
    expect(freshness.isProven).toBe(true);

    await give('hangs');
    await waitFor(() => !freshness.isProven, { what: 'a doubt', interval: 5 });
    const lost = performance.now();
    expect(first.heard).not.toContain('hangs');
    await sleep(WITHIN);
    first.release();
    await waitFor(() => first.heard.includes('hangs'));
    await proven(freshness);
    // Long enough for senders that were held up, too.
    expect(performance.now() - lost).toBeGreaterThan(4000);
  }, 30_000);

  it('is read as far back as the events of each topic need', async () => {
    await suite.replica.publish({ event: numberDrawn, key: 'a', data: { key: 'a', n: 1 } });
    await waitFor(() => first.heard.includes('1'));
    const late = listener();
    const replica = await suite.start({ controllers: [late.controller] });
    await waitFor(async () => (await replica.health.readiness.get('broadcasts')!()) === undefined);
    await suite.produce(suite.topic('notices'), {
      key: 'k',
      value: '{"text":"new"}',
      headers: headersOf(noticeGiven.type, uuidv7()),
    });
    await waitFor(() => late.heard.includes('new'));
    expect(late.heard).toEqual(['1', 'new']);
  });
});

describe('the memory of a replica', () => {
  let kafka: OwnKafka;
  let replica: Replica;
  let drop: () => Promise<void>;
  beforeAll(async () => {
    const database = await createDatabase();
    drop = database.drop;
    kafka = await ownKafka();
    const { brokers } = kafka;
    replica = await startReplica({
      databaseUrl: database.url,
      brokers,
      prefix: 'fresh',
      controllers: [listener().controller],
    });
  }, 60_000);
  afterAll(async () => {
    await replica.close();
    await Promise.all([kafka.remove(), drop()]);
  });

  it('is not current while Kafka is away, nor at once when it is back: senders may still be pausing', async () => {
    const freshness = freshnessOf(replica);
    await proven(freshness);
    await kafka.kill();
    await sleep(WITHIN + 100);
    expect(freshness.isProven).toBe(false);
    await kafka.start();
    const back = performance.now();
    await proven(freshness, 40_000);
    expect(performance.now() - back).toBeGreaterThan(3000);
  }, 60_000);
});
