import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Consumer, Kafka, logLevel, type Producer } from 'kafkajs';
import { waitFor } from '#libs/testing';
import { newPerson, type Person } from './people.js';
import { findTarget } from './target.js';

// As a caller of another system does it: with only a Kafka client and the names in docs/asyncapi.yaml.
describe('request and reply over Kafka', () => {
  const replyTopic = `tasklane.test-${randomUUID()}.replies`;
  const replies: { id: string; reply: unknown }[] = [];
  let kafka: Kafka | undefined;
  let producer: Producer;
  let consumer: Consumer;
  let person: Person;

  beforeAll(async () => {
    const target = await findTarget();
    person = await newPerson(target);
    if (!target.brokers) return;
    kafka = new Kafka({ brokers: target.brokers.split(','), logLevel: logLevel.NOTHING });
    producer = kafka.producer();
    consumer = kafka.consumer({ groupId: replyTopic, maxWaitTimeInMs: 50 });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: replyTopic, numPartitions: 1 }], waitForLeaders: true });
    await admin.disconnect();
    await producer.connect();
    await consumer.subscribe({ topic: replyTopic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message: { headers, value } }) =>
        void replies.push({ id: String(headers?.['correlation-id']), reply: JSON.parse(String(value)) }),
    });
  }, 150_000);
  afterAll(async () => {
    if (!kafka) return;
    await Promise.all([producer.disconnect(), consumer.disconnect()]);
    const admin = kafka.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [replyTopic] });
    await admin.disconnect();
  });

  const ask = async (question: unknown): Promise<unknown> => {
    const id = randomUUID();
    const headers = { 'reply-topic': replyTopic, 'correlation-id': id };
    const messages = [{ key: id, value: JSON.stringify(question), headers }];
    await producer.send({ topic: 'auth.validate.request', messages });
    return (await waitFor(() => replies.find((reply) => reply.id === id), { what: 'a reply' })).reply;
  };

  it('tells a live token from another, once each', async () => {
    if (!kafka) return void process.stderr.write('skipped, as KAFKA_BROKERS is unset: request and reply\n');
    const [live, dead] = await Promise.all([ask({ token: person.tokens.accessToken }), ask({ token: 'x' })]);
    expect(live).toMatchObject({ active: true, sub: person.user.id });
    expect(dead).toEqual({ active: false });
    expect(replies).toHaveLength(2);
  });
});
