import { describe, expect, it } from '@jest/globals';
import { testKafka } from '#libs/testing';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { ensureTopics, longestReplay } from './topics.js';

const DAY = 86_400_000;

describe('topics', () => {
  it('are deleted in segments of a day, so that they keep little longer than their retention', async () => {
    const { brokers, topicPrefix } = testKafka();
    const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
    const name = `${topicPrefix}.events`;
    const wanted = { name, cleanup: 'delete' as const, retention: 30 * DAY };
    await ensureTopics(kafka, { TOPIC_PARTITIONS: 1 }, [wanted], new AbortController().signal);
    const admin = kafka.admin();
    await admin.connect();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name, configNames: ['segment.ms', 'retention.ms'] }],
    });
    await admin.disconnect();
    const values = resources[0]!.configEntries.map(({ configName, configValue }) => [configName, Number(configValue)]);
    expect(Object.fromEntries(values)).toEqual({ 'segment.ms': DAY, 'retention.ms': 30 * DAY });
  });

  it('can bring nothing back after the longest retention, a segment and some days', () => {
    const topic = (retention: number) => ({ name: 't', cleanup: 'delete' as const, retention });
    expect(longestReplay([topic(DAY)])).toBe(35 * DAY);
    expect(longestReplay([topic(DAY), topic(60 * DAY)])).toBe(65 * DAY);
  });
});
