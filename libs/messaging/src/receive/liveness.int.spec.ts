import { Controller } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '#libs/testing';
import type { Consumer } from 'kafkajs';
import { register } from 'prom-client';
import { record, RecordDrawn } from '../../test/effects.js';
import { withConsumersThatHang } from '../../test/failing.js';
import { Suite } from '../../test/suite.js';
import { numberDrawn, type TestNumber } from '../../test/test-events.js';
import { ConsumerWatch } from './consumer-watch.js';
import { EventContext } from './event-context.js';
import { metrics } from '../shared/metrics.js';
import { Progress } from './progress.js';
import { OnEvent } from './on-event.js';

const drawn = (key: string, n: number) => ({ event: numberDrawn, key, data: { key, n } });

@Controller()
class Hanging {
  static release: () => void = () => undefined;

  @OnEvent(numberDrawn)
  async handle(data: TestNumber, context: EventContext): Promise<void> {
    if (data.n === 0) await new Promise<void>((resolve) => (Hanging.release = resolve));
    await record(context, data);
  }
}

describe('a handler that hangs', () => {
  const suite = new Suite({ controllers: [Hanging], env: { EVENT_STUCK_AFTER: '2s' } });
  const live = () => suite.replica.health.liveness.get('events')!();

  it('fails liveness, holds up neither other partitions nor heartbeats, and is awaited at the end', async () => {
    await suite.replica.publish(drawn('hangs', 0));
    expect(await waitFor(live)).toMatch(/a handler of number\.drawn has been running for \d+ s/);
    // With three partitions, these keys are in at least two.
    await suite.replica.publish(...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((key) => drawn(key, 1)));
    await suite.effectsReach(1);
    // Longer than a member may be silent without losing its partitions.
    await new Promise((resolve) => setTimeout(resolve, 7000));
    const joined = await metricOf('tasklane_consumer_rebalances_total');
    Hanging.release();
    expect((await suite.effectsReach(8)).filter(({ key }) => key === 'hangs')).toHaveLength(1);
    await waitFor(async () => (await live()) === undefined, { what: 'liveness' });
    await suite.idle([suite.topic('numbers')]);
    expect(await metricOf('tasklane_consumer_rebalances_total')).toBe(joined);
  });
});

describe('a partition whose queue is full by its bytes', () => {
  const consumers: Consumer[] = [];
  const suite = new Suite({
    controllers: [Hanging],
    wrap: {
      kafka: (kafka) => {
        const original = kafka.consumer.bind(kafka);
        kafka.consumer = (config) => consumers[consumers.push(original(config)) - 1]!;
        return kafka;
      },
    },
  });
  const paused = () => consumers.flatMap((consumer) => consumer.paused()).map(({ topic }) => topic);

  it('is not fetched until its handlers have caught up, and nothing of it is lost', async () => {
    const key = 'large'.repeat(20_000);
    await suite.replica.publish(...Array.from({ length: 40 }, (_, n) => ({ ...drawn('large', n), data: { key, n } })));
    await waitFor(() => paused().length > 0, { what: 'a partition that is not fetched' });
    expect(paused()).toEqual([suite.topic('numbers')]);
    await waitFor(() => {
      Hanging.release();
      return paused().length === 0;
    });
    expect((await suite.effectsReach(40)).map(({ n }) => n)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });
});

describe('a consumer that stopped fetching', () => {
  const suite = new Suite({
    controllers: [RecordDrawn],
    env: { EVENT_STUCK_AFTER: '400ms' },
    wrap: { kafka: withConsumersThatHang },
  });

  it('fails liveness because Kafka answers', async () => {
    const live = () => suite.replica.health.liveness.get('events')!();
    expect(await waitFor(live)).toMatch(/events have not been fetched for \d+ s although Kafka answers/);
  });
});

describe('a clock that jumps', () => {
  const suite = new Suite({ controllers: [RecordDrawn] });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each([
    ['back', -3_600_000],
    ['forth', 3_600_000],
  ])('%s an hour makes the consumer join anew, and nothing is lost', async (_direction, jump) => {
    const before = (await suite.effects()).length;
    await suite.replica.publish(drawn('a', 1));
    await suite.effectsReach(before + 1);
    const joined = await metricOf('tasklane_consumer_rebalances_total');
    const now = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => now() + jump);
    await suite.replica.publish(drawn('a', 2));
    const rejoined = async () => (await metricOf('tasklane_consumer_rebalances_total')) > joined;
    await waitFor(rejoined, { what: 'a new consumer' });
    await suite.replica.publish(drawn('a', 3));
    await suite.effectsReach(before + 3);
    await suite.idle([suite.topic('numbers')]);
  });
});

describe('the metrics', () => {
  const suite = new Suite({ controllers: [RecordDrawn] });

  it('tell what was handled, how late, and what is left', async () => {
    const before = await metricOf('tasklane_events_handled_total');
    await suite.replica.publish(drawn('a', 1), drawn('b', 1));
    await suite.idle([suite.topic('numbers')]);
    expect(await metricOf('tasklane_events_handled_total')).toBeGreaterThanOrEqual(before + 2);
    const text = await register.metrics();
    expect(text).toContain(`tasklane_outbox_sent_total{topic="${suite.topic('numbers')}"} 2`);
    expect(text).toMatch(/tasklane_event_latency_seconds_count\{type="number\.drawn"\} \d+/);
    expect(text).toMatch(/tasklane_outbox_pending \d/);
  });

  it('tell how far each partition of this replica is behind', async () => {
    const topic = suite.topic('numbers');
    const consumer = { lastLife: performance.now(), assigned: new Set([`${topic}/0`, `${topic}/1`, `${topic}/2`]) };
    const config = { EVENT_STUCK_AFTER: 1000 };
    const lagWith = async (groupId: string, positions = new Map<string, bigint>()) => {
      const { kafka } = suite.replica;
      const watch = new ConsumerWatch(kafka, { ...consumer, positions }, groupId, [topic], new Progress(), config);
      await watch.measure();
      await watch.close();
      const { values } = await metrics.lag.get();
      return values.filter(({ labels }) => labels.topic === topic).reduce((sum, { value }) => sum + value, 0);
    };
    expect(await lagWith(suite.topic('tests'))).toBe(0);
    expect(await lagWith('a-group-that-never-read')).toBe(2);
    const ends = (await suite.readAll(topic)).map(({ partition }) => partition);
    expect(await lagWith('a-group-that-never-read', new Map([[`${topic}/${ends[0]}`, 2n]]))).toBeLessThan(2);
  });
});

async function metricOf(name: string): Promise<number> {
  const { values } = (await register.getSingleMetric(name)!.get()) as { values: { value: number }[] };
  return values.reduce((sum, { value }) => sum + value, 0);
}
