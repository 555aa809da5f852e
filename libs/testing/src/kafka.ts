import { randomBytes } from 'node:crypto';

export function testKafka(): { brokers: string; topicPrefix: string } {
  const brokers = process.env.TASKLANE_TEST_KAFKA;
  if (!brokers) throw new Error('no test broker: run tests with "npm test"');
  return { brokers, topicPrefix: `test-${randomBytes(6).toString('hex')}` };
}
