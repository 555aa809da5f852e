import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { TopicMessages } from 'kafkajs';
import type { Received } from '../kafka/cloud-event.js';
import { asError, Failures, isTransient } from './failures.js';
import { FAILURE, type Work } from './routes.js';
import { TopicNames } from '../kafka/topics.js';

const DELAYS = [1000, 60_000];
const message = (headers: Record<string, string> = {}): Received => ({
  topic: 'p.numbers',
  partition: 2,
  offset: '7',
  key: 'k',
  value: Buffer.from('{}'),
  headers: { ce_id: 'id', ce_type: 'number.drawn', ...headers },
  readAt: 5000,
});
const work = (attempt: number): Work =>
  ({ message: message(), attempt, attributes: { type: 'number.drawn' } }) as unknown as Work;

function failures() {
  const sent: TopicMessages[] = [];
  const sender = { send: async (messages: TopicMessages[]) => void sent.push(...messages) };
  return { sent, subject: new Failures(sender, new TopicNames('p', 'g', DELAYS.length), DELAYS) };
}

describe('a failed event', () => {
  it.each([
    [1, 'p.g.retry-1', '1'],
    [2, 'p.g.retry-2', '2'],
    [3, 'p.g.dead', '1'],
  ])('after attempt %i goes to %s', async (attempt, topic, counted) => {
    const { sent, subject } = failures();
    expect(await subject.later(work(attempt), new Error('broken'))).toBe(topic);
    expect(sent).toMatchObject([{ topic, messages: [{ key: 'k', value: Buffer.from('{}') }] }]);
    expect(sent[0]!.messages[0]!.headers).toMatchObject({
      ce_id: 'id',
      [FAILURE.topic]: 'p.numbers',
      [FAILURE.partition]: '2',
      [FAILURE.offset]: '7',
      [FAILURE.attempt]: counted,
      [FAILURE.reason]: 'broken',
    });
  });

  it('keeps where it came from when it fails again', async () => {
    const { sent, subject } = failures();
    const origin = {
      [FAILURE.topic]: 'p.first',
      [FAILURE.partition]: '0',
      [FAILURE.offset]: '1',
      [FAILURE.attempt]: '3',
    };
    await subject.dead([{ message: message(origin), reason: new Error('still') }]);
    expect(sent[0]!.messages[0]!.headers).toMatchObject({
      ...origin,
      [FAILURE.attempt]: '4',
      [FAILURE.reason]: 'still',
    });
  });

  it('carries no more of its reason than a header should, and no stack', async () => {
    const { sent, subject } = failures();
    await subject.later(work(1), new Error('é'.repeat(5000)));
    const reason = String(sent[0]!.messages[0]!.headers![FAILURE.reason]);
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(1000);
    expect(reason).toBe('é'.repeat(500));
  });
});

describe('the time at which a retry is due', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each([
    ['on time', 0, 700],
    ['late', 1000, 0],
    ['with a clock that went back an hour', -3_600_000, 60_000],
    ['with a clock that went on an hour', 3_600_000, 0],
  ])('is never further away than the longest delay: %s', (_case, jump, wait) => {
    const { subject } = failures();
    jest.spyOn(Date, 'now').mockReturnValue(1_000_000_000 + jump);
    const due = subject.dueAt(message({ [FAILURE.due]: String(1_000_000_000 + 700) }));
    expect(due - 5000).toBe(wait);
  });

  it('has come for a message that says nothing or nonsense about it', () => {
    const { subject } = failures();
    expect(subject.dueAt(message())).toBe(5000);
    expect(subject.dueAt(message({ [FAILURE.due]: 'tomorrow' }))).toBe(5000);
  });
});

describe('an error', () => {
  const withCode = (code: string) => Object.assign(new Error(code), { code });

  it.each([
    ['deadlock', withCode('40P01'), true],
    ['serialization failure', withCode('40001'), true],
    ['no lock', withCode('55P03'), true],
    ['deadlock behind TypeORM', Object.assign(new Error('query failed'), { driverError: withCode('40P01') }), true],
    ['no database', withCode('ECONNREFUSED'), true],
    ['server shutting down', withCode('57P01'), true],
    ['unique violation', withCode('23505'), false],
    ['statement that took too long', withCode('57014'), false],
    ['a mistake', new TypeError('undefined is not a function'), false],
  ])('is worth trying again at once or not: %s', (_case, error, transient) => {
    expect(isTransient(error)).toBe(transient);
  });

  it.each([
    ['text', 'text'],
    [undefined, 'undefined'],
    [{ status: 'error', message: 'from RpcException' }, 'from RpcException'],
  ])('is made of whatever was thrown: %j', (thrown, text) => {
    expect(asError(thrown).message).toBe(text);
  });
});

describe('a message that is too large with its reason', () => {
  it('leaves in the dead letters where it is', async () => {
    const sent: TopicMessages[] = [];
    const send = async ([topicMessages]: TopicMessages[]) => {
      const { value } = topicMessages!.messages[0]!;
      if (value) throw Object.assign(new Error('too large'), { type: 'MESSAGE_TOO_LARGE' });
      sent.push(topicMessages!);
    };
    const subject = new Failures({ send }, new TopicNames('p', 'g', 1), [1000]);
    expect(await subject.later(work(1), new Error('broken'))).toBe('p.g.dead');
    expect(sent).toHaveLength(1);
    expect(sent[0]!.messages[0]!.headers).toMatchObject({
      [FAILURE.topic]: 'p.numbers',
      [FAILURE.offset]: '7',
      [FAILURE.reason]: 'broken (value and headers were too large to be kept)',
    });
    expect(sent[0]!.messages[0]!.headers).not.toHaveProperty('ce_id');
  });
});
