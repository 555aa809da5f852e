import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { passE2e } from './black-box.js';
import { fixed, nodeIn, pods, underLoad, upgrade } from './release.js';

/** Writes one message with the login of the pod's service, and prints what came of it. */
const forge = (topic: string) => `
  import { Kafka, logLevel } from 'kafkajs';
  const { KAFKA_BROKERS, KAFKA_USERNAME: username, KAFKA_PASSWORD: password, KAFKA_SASL_MECHANISM: mechanism } = process.env;
  const sasl = { mechanism, username, password };
  const kafka = new Kafka({ brokers: KAFKA_BROKERS.split(','), sasl, logLevel: logLevel.NOTHING, retry: { retries: 1 } });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const message = { topic: ${JSON.stringify(topic)}, messages: [{ key: 'nobody', value: null }] };
  console.log(await producer.send(message).then(() => 'written', (error) => error.type ?? error.cause?.type ?? error.message));
  process.exit(0);`;

describe('with a login for each service at Kafka', () => {
  const forged = async (topic: string) => {
    const [pod] = await pods('todos');
    return (await nodeIn(pod!.metadata.name, forge(topic))).trim();
  };

  beforeAll(() => upgrade(fixed), 400_000);
  afterAll(() => upgrade(fixed), 400_000);

  it('a running release is switched over without a failed request', async () => {
    const report = await underLoad('rights at Kafka', () => upgrade({ ...fixed, 'kafka.authorization.enabled': true }));
    expect(report).toMatchObject({ failed: 0, abrupt: 0 });
  });

  it('passes the e2e suite', async () => {
    await passE2e();
  }, 600_000);

  it('a service cannot write what another publishes', async () => {
    expect(await forged('tasklane.users')).toBe('TOPIC_AUTHORIZATION_FAILED');
  });
});
