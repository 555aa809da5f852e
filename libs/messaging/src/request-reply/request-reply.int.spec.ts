import { Controller } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { type Replica } from '../../test/replica.js';
import { Suite } from '../../test/suite.js';
import { doubleOf } from '../../test/test-events.js';
import { RequestTimeout } from './kafka-requester.js';
import { FAILURE } from '../receive/routes.js';
import { OnRequest } from '../receive/on-event.js';

@Controller()
class Doubler {
  static failures = 0;

  @OnRequest(doubleOf(''))
  handle({ n }: { n: number }): { doubled: number } {
    if (n === 13 && Doubler.failures++ < 2) throw new Error('not yet');
    return { doubled: n * 2 };
  }
}

describe('a request over Kafka', () => {
  const suite = new Suite((prefix) => ({
    group: 'askers',
    requests: [doubleOf(prefix)],
    env: { REPLY_TOPIC_PREFIXES: `${prefix}-` },
  }));
  const ask = (n: number, timeout = 20_000) =>
    suite.replica.requester.request(doubleOf(suite.options.prefix), { n }, { timeout });
  const answerer = () => suite.start({ group: 'tests', controllers: [Doubler] });
  const replies = async (topic = suite.topic('askers.replies')) => suite.readAll(topic);
  let server: Replica;

  it('waits while nobody answers, and is answered once on recovery', async () => {
    server = await answerer();
    expect(await ask(2)).toEqual({ doubled: 4 });
    await suite.close(server);
    const asked = ask(3);
    await waitFor(async () => (await suite.readAll(doubleOf(suite.options.prefix).topic)).length === 2, {
      what: 'the request',
    });
    server = await answerer();
    expect(await asked).toEqual({ doubled: 6 });
  });

  it('is not handled after its deadline, which travels with it, nor sent when it is over before', async () => {
    const { topic } = doubleOf(suite.options.prefix);
    const before = (await suite.readAll(topic)).length;
    const late = await suite.start({ group: 'late' });
    await expect(late.requester.request(doubleOf(''), { n: 8 }, { timeout: 1 })).rejects.toThrow(RequestTimeout);
    expect(await ask(7)).toEqual({ doubled: 14 });
    const sent = await suite.readAll(topic);
    const { deadline, ce_time: asked } = sent.find(({ value }) => value!.toString() === '{"n":7}')!.headers;
    expect(Date.parse(deadline!) - Date.parse(asked!)).toBeGreaterThanOrEqual(19_000);
    const headers = { 'correlation-id': 'past', 'reply-topic': suite.topic('askers.replies') };
    const past = (ago: number) => ({ ...headers, deadline: new Date(Date.now() - ago).toISOString() });
    // One that a slow clock makes look late is answered.
    await suite.produce(
      topic,
      { value: '{"n":90}', headers: past(60_000) },
      { value: '{"n":91}', headers: past(1000) },
    );
    await suite.idle([topic]);
    const answers = (await replies()).filter(({ key }) => key === 'past').map(({ value }) => value!.toString());
    expect(answers).toEqual(['{"doubled":182}']);
    expect(await suite.readAll(topic)).toHaveLength(before + 3);
    await suite.close(late);
  });

  it('comes back from the retry topics when its handler fails at first', async () => {
    expect(await ask(13)).toEqual({ doubled: 26 });
  });

  it('is a dead letter without a reply topic, with one of the system or that no setting allows, or with a wrong question', async () => {
    const { topic } = doubleOf(suite.options.prefix);
    const headers = { 'correlation-id': 'c', 'reply-topic': suite.topic('askers.replies') };
    const before = (await replies()).length;
    await suite.produce(
      topic,
      { value: '{"n":1}' },
      { value: '{"n":1}', headers: { ...headers, 'reply-topic': suite.topic('numbers') } },
      { value: '{"n":1}', headers: { ...headers, 'reply-topic': `strange.${suite.topic('askers.replies')}` } },
      { value: '{"n":"x"}', headers },
      { value: '{"n":21}', headers },
    );
    const letters = await waitFor(async () => {
      const found = await suite.readAll(suite.topic('tests.dead'));
      return found.length === 4 ? found : undefined;
    });
    expect(
      letters.map(({ headers: { [FAILURE.reason]: reason } }) => reason).toSorted((a, b) => a!.localeCompare(b!, 'en')),
    ).toEqual([
      'a request needs the headers reply-topic and correlation-id',
      expect.stringMatching(/^replies cannot go to the topic strange\.test-\w+\.askers\.replies$/),
      expect.stringMatching(/^replies cannot go to the topic test-\w+\.numbers$/),
      expect.stringContaining('the data does not fit its schema'),
    ]);
    await waitFor(async () => (await replies()).length === before + 1, { what: 'the reply to the sound one' });
    expect((await replies()).find(({ key }) => key === 'c')).toMatchObject({ headers: { 'correlation-id': 'c' } });
  });

  it('does not hold up others when its reply topic does not exist; the reply goes out once it does', async () => {
    const missing = `${suite.options.prefix}-elsewhere`;
    const { topic } = doubleOf(suite.options.prefix);
    await suite.produce(topic, { value: '{"n":50}', headers: { 'correlation-id': 'lost', 'reply-topic': missing } });
    await waitFor(
      async () => (await server.dataSource.query(`SELECT FROM outbox WHERE topic = $1`, [missing])).length === 1,
    );
    for (const n of [4, 5, 6]) expect(await ask(n)).toEqual({ doubled: 2 * n });
    const admin = suite.replica.kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: missing, numPartitions: 1 }], waitForLeaders: false });
    await admin.disconnect();
    const [reply] = await waitFor(async () => {
      const found = await replies(missing);
      return found.length > 0 ? found : undefined;
    });
    expect(reply).toMatchObject({ key: 'lost', headers: { 'correlation-id': 'lost' } });
  });

  it('is refused before it is sent when the question is wrong', async () => {
    const definition = doubleOf(suite.options.prefix);
    await expect(suite.replica.requester.request(definition, { n: 'x' } as never, { timeout: 100 })).rejects.toThrow(
      'n',
    );
  });
});
