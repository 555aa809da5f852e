import { Controller, type Type } from '@nestjs/common';
import { describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '#libs/testing';
import type { ConsumerConfig, Kafka } from 'kafkajs';
import { headersOf, Suite } from '../../test/suite.js';
import { noticeGiven } from '../../test/test-events.js';
import { uuidv7 } from '../kafka/cloud-event.js';
import { OnEvent } from './on-event.js';

/** A controller class of its own for each replica, so that each has a memory of its own. */
function listener(): { heard: string[]; controller: Type } {
  const heard: string[] = [];
  let failures = 0;

  @Controller()
  class Listener {
    @OnEvent(noticeGiven, { broadcast: true })
    handle({ text }: { text: string }): void {
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
