import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, type Type } from '@nestjs/common';
import { describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '#libs/testing';
import type { ConsumerConfig, Kafka } from 'kafkajs';
import { withConsumersThatHang } from '../../test/failing.js';
import { headersOf, Suite } from '../../test/suite.js';
import { noticeGiven } from '../../test/test-events.js';
import { uuidv7 } from '../kafka/cloud-event.js';
import { ConfigResourceTypes } from '../kafka/kafkajs.js';
import { metrics } from '../shared/metrics.js';
import { OnEvent } from './on-event.js';
import type { HandlerOptions } from './routes.js';

const notice = (text: string) => ({
  key: 'k',
  value: JSON.stringify({ text }),
  headers: headersOf(noticeGiven.type, uuidv7()),
});

const hanging = Promise.withResolvers<void>();

/** A controller class of its own for each replica, so that each has a memory of its own. */
function listener(broadcast: HandlerOptions['broadcast'] = true): { heard: string[]; controller: Type } {
  const heard: string[] = [];
  let failures = 0;

  @Controller()
  class Listener {
    @OnEvent(noticeGiven, { broadcast })
    async handle({ text }: { text: string }): Promise<void> {
      if (text === 'hangs') await hanging.promise;
      if (text === 'fails twice' && failures++ < 2) throw new Error('not yet');
      if (text === 'fails always') throw new Error('never');
      heard.push(text);
    }
  }
  return { heard, controller: Listener };
}

describe('a broadcast', () => {
  const first = listener();
  let consumers = 0;
  const counted = (kafka: Kafka): Kafka => {
    const original = kafka.consumer.bind(kafka);
    return Object.assign(kafka, { consumer: (config: ConsumerConfig) => (consumers++, original(config)) });
  };
  const suite = new Suite({ controllers: [first.controller], wrap: { kafka: counted } });
  const give = (text: string) => suite.replica.publish({ event: noticeGiven, key: text, data: { text } });
  const ready = (replica = suite.replica) => replica.health.readiness.get('broadcasts')!();

  it('reaches every replica, also one that starts later, which is not ready before it has caught up', async () => {
    await waitFor(async () => (await ready()) === undefined, { what: 'readiness with nothing to read' });
    await give('one');
    await give('two');
    await waitFor(() => first.heard.length === 2, { what: 'two notices' });

    const second = listener();
    const replica = await suite.start({ controllers: [second.controller] });
    expect(await ready(replica)).toBeDefined();
    await waitFor(async () => (await ready(replica)) === undefined, { what: 'readiness' });
    expect(second.heard.toSorted()).toEqual(['one', 'two']);
    await give('three');
    await waitFor(() => first.heard.includes('three') && second.heard.includes('three'), { what: 'the third notice' });
  });

  it('is tried again, then passed over; what cannot be read is passed over at once', async () => {
    await give('fails always');
    await give('fails twice');
    await suite.produce(suite.topic('notices'), {
      key: 'k',
      value: 'no json',
      headers: headersOf(noticeGiven.type, uuidv7()),
    });
    await suite.produce(suite.topic('notices'), {
      key: 'k',
      value: '{"text":"after"}',
      headers: headersOf(noticeGiven.type, uuidv7()),
    });
    await waitFor(() => first.heard.includes('after') && first.heard.includes('fails twice'), { what: 'what follows' });
    expect(first.heard).not.toContain('fails always');
    expect(first.heard.filter((text) => text === 'fails twice')).toHaveLength(1);
  });

  it('goes on where it was when its consumer has to be replaced', async () => {
    const before = [...first.heard];
    const known = consumers;
    const now = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000);
    await waitFor(() => consumers > known, { what: 'a new consumer' });
    await give('afterwards');
    await waitFor(() => first.heard.includes('afterwards'), { what: 'the next notice' });
    jest.restoreAllMocks();
    expect(first.heard).toEqual([...before, 'afterwards']);
  });
});

describe('a broadcast that stands still', () => {
  const suite = new Suite({ controllers: [listener().controller], env: { EVENT_STUCK_AFTER: '800ms' } });
  const live = () => suite.replica.health.liveness.get('events')!();

  it('does so not for the marks of a transaction, which nobody is shown', async () => {
    const producer = suite.replica.kafka.producer({ transactionalId: suite.topic('stranger'), idempotent: true });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: suite.topic('notices'), messages: [notice('sent'), notice('together')] });
    await transaction.commit();
    await producer.disconnect();
    const lag = async () => {
      const { values } = await metrics.broadcastLag.get();
      const ofTopic = values.filter(({ labels }) => labels.topic === suite.topic('notices'));
      return ofTopic.length === 3 ? Math.max(...ofTopic.map(({ value }) => value)) : undefined;
    };
    await waitFor(async () => (await lag()) === 0, { what: 'the lag to be measured' });
    const late = await suite.start({ controllers: [listener().controller] });
    await waitFor(async () => (await late.health.readiness.get('broadcasts')!()) === undefined, { what: 'readiness' });
    await sleep(1500);
    expect([await live(), await late.health.liveness.get('events')!(), await lag()]).toEqual([undefined, undefined, 0]);
    await suite.close(late);
  });

  it('fails liveness, and its lag can be seen', async () => {
    await suite.produce(suite.topic('notices'), notice('hangs'), notice('waits'));
    expect(await waitFor(live)).toMatch(/notices\/\d stands still at offset \d although there is more to read/);
    const { values } = await metrics.broadcastLag.get();
    expect(values.filter(({ labels }) => labels.topic === suite.topic('notices')).map(({ value }) => value)).toContain(
      2,
    );
    hanging.resolve();
    await waitFor(async () => (await live()) === undefined, { what: 'liveness' });
  });
});

describe('a broadcast whose consumer hangs', () => {
  const suite = new Suite({
    controllers: [listener().controller],
    env: { EVENT_STUCK_AFTER: '400ms' },
    wrap: { kafka: withConsumersThatHang },
  });

  it('fails liveness with nothing to read, too', async () => {
    expect(await waitFor(suite.replica.health.liveness.get('events')!)).toMatch(
      /events have not been fetched for \d+ s/,
    );
  });
});

describe('a broadcast that needs only what is new', () => {
  const suite = new Suite();

  it('reads nothing older, and all that is not', async () => {
    const old = String(Date.now() - 120_000);
    const notices = Array.from({ length: 6 }, (_, n) => ({ ...notice(`old ${n}`), key: `k${n}`, timestamp: old }));
    const { replica } = suite;
    const first = await suite.start({ controllers: [listener().controller] });
    await waitFor(async () => (await first.health.readiness.get('broadcasts')!()) === undefined);
    // Brokers refuse old messages in topics of events; here they must be there.
    const admin = replica.kafka.admin();
    await admin.connect();
    const configEntries = [{ name: 'message.timestamp.before.max.ms', value: '3600000' }];
    const resource = { type: ConfigResourceTypes.TOPIC, name: suite.topic('notices'), configEntries };
    await admin.alterConfigs({ validateOnly: false, resources: [resource] });
    await admin.disconnect();
    await waitFor(() => suite.produce(suite.topic('notices'), ...notices).then(() => true));
    await suite.produce(suite.topic('notices'), { ...notice('new'), timestamp: String(Date.now() - 30_000) });
    const { heard, controller } = listener({ last: 60_000 });
    const late = await suite.start({ controllers: [controller] });
    await waitFor(async () => (await late.health.readiness.get('broadcasts')!()) === undefined, { what: 'readiness' });
    await replica.publish({ event: noticeGiven, key: 'k', data: { text: 'newer' } });
    await waitFor(() => heard.includes('newer'), { what: 'the last notice' });
    expect(heard).toEqual(['new', 'newer']);
  });
});
