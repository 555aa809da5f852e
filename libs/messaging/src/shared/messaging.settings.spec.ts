import { describe, expect, it } from '@jest/globals';
import { loadSettings } from '#libs/service';
import { messagingSettings } from './messaging.settings.js';

const load = (env: Record<string, string>) => loadSettings(messagingSettings, { KAFKA_BROKERS: 'a:9092', ...env });

describe('the settings of messaging', () => {
  it('need only the brokers', () => {
    expect(load({ KAFKA_BROKERS: 'a:9092, b:9093' })).toMatchObject({
      KAFKA_BROKERS: ['a:9092', 'b:9093'],
      KAFKA_TLS: false,
      TOPIC_PREFIX: 'tasklane',
      TOPIC_PARTITIONS: 6,
      EVENT_RETRY_DELAYS: [5000, 60_000, 600_000],
      EVENT_STUCK_AFTER: 60_000,
      EVENT_ORDERED_STUCK_AFTER: 300_000,
    });
  });

  it.each([
    ['KAFKA_BROKERS', 'localhost'],
    ['KAFKA_BROKERS', ''],
    ['KAFKA_TLS', 'yes'],
    ['KAFKA_SASL_MECHANISM', 'kerberos'],
    ['TOPIC_PREFIX', 'two words'],
    ['TOPIC_PARTITIONS', '0'],
    ['EVENT_RETRY_DELAYS', '5'],
    ['EVENT_RETRY_DELAYS', ','],
    ['EVENT_RETRY_DELAYS', '1s,1s,1s,1s,1s,1s,1s,1s,1s,1s'],
  ])('refuse %s=%j', (name, value) => {
    expect(() => load({ [name]: value })).toThrow(name);
  });
});
