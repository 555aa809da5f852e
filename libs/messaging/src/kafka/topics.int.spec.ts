import { Logger } from '@nestjs/common';
import { describe, expect, it, jest } from '@jest/globals';
import { testKafka } from '#libs/testing';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { ensureTopics, longestReplay, type WantedTopic } from './topics.js';

const DAY = 86_400_000;

describe('topics', () => {
  const kafka = new Kafka({ brokers: [testKafka().brokers], logLevel: logLevel.NOTHING });
  /** Creates the topic. Returns the part of its settings that says how long it keeps what. */
  const settingsOf = async (topic: Omit<WantedTopic, 'name'>) => {
    const name = `${testKafka().topicPrefix}.${topic.cleanup}.${topic.retention}`;
    await ensureTopics(kafka, { TOPIC_PARTITIONS: 1 }, [{ name, ...topic }], new AbortController().signal);
    const configNames = ['segment.ms', 'retention.ms', 'max.compaction.lag.ms', 'delete.retention.ms'];
    const admin = kafka.admin();
    await admin.connect();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name, configNames }],
    });
    await admin.disconnect();
    const values = resources[0]!.configEntries.map(({ configName, configValue }) => [configName, Number(configValue)]);
    return Object.fromEntries(values) as Record<string, number>;
  };

  it.each([
    ['in segments of a day, so that they keep little longer than their retention', 30 * DAY, DAY],
    ['in shorter segments where they keep less than a day', DAY / 24, DAY / 24],
  ])('are deleted %s', async (_case, retention, segment) => {
    const settings = await settingsOf({ cleanup: 'delete', retention });
    expect(settings).toMatchObject({ 'segment.ms': segment, 'retention.ms': retention });
  });

  it('that are compacted forget former states after their retention, and tombstones much later', async () => {
    const settings = await settingsOf({ cleanup: 'compact', retention: DAY });
    expect(settings).toMatchObject({ 'max.compaction.lag.ms': DAY, 'delete.retention.ms': 30 * DAY });
  });

  it('can bring nothing back after the longest retention, a segment and some days', () => {
    const topic = (retention: number) => ({ name: 't', cleanup: 'delete' as const, retention });
    expect(longestReplay([topic(DAY)])).toBe(35 * DAY);
    expect(longestReplay([topic(DAY), topic(60 * DAY)])).toBe(65 * DAY);
  });

  it('that exist are compared: one that keeps messages longer than the inbox, or shorter than needed, is named', async () => {
    const { brokers, topicPrefix } = testKafka();
    const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
    const config = (retention: number, policy = 'delete') => [
      { name: 'retention.ms', value: String(retention) },
      { name: 'segment.ms', value: String(DAY) },
      { name: 'cleanup.policy', value: policy },
    ];
    const existing = {
      long: config(90 * DAY),
      ever: config(-1),
      short: config(DAY),
      good: config(30 * DAY),
      state: config(DAY),
      users: [{ name: 'cleanup.policy', value: 'compact' }],
    };
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      topics: Object.entries(existing).map(([name, configEntries]) => ({
        topic: `${topicPrefix}.${name}`,
        configEntries,
      })),
      waitForLeaders: true,
    });
    await admin.disconnect();
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const wanted = Object.keys(existing).map((name) => ({
      name: `${topicPrefix}.${name}`,
      cleanup: ['state', 'users'].includes(name) ? ('compact' as const) : ('delete' as const),
      retention: 30 * DAY,
    }));
    await ensureTopics(kafka, { TOPIC_PARTITIONS: 1 }, wanted, new AbortController().signal);
    const sentences = warned.mock.calls.map(([text]) => String(text).replace(`the topic ${topicPrefix}.`, ''));
    warned.mockRestore();
    expect(sentences.toSorted()).toEqual([
      expect.stringMatching(/^ever has retention.ms=-1 .* longer than .* the inbox remembers/),
      expect.stringMatching(/^long has retention.ms=7776000000 .* longer than .* the inbox remembers/),
      'short has retention.ms=86400000, less than 2592000000',
      'state has cleanup.policy=delete instead of compact',
      expect.stringMatching(/^users has max.compaction.lag.ms=\d{19}, more than 2592000000/),
    ]);
  });

  it('that exist without the fence of ADR 8 are named once, with the command that gives it to them', async () => {
    const [open, closed] = ['open', 'closed'].map((name) => ({
      name: `${testKafka().topicPrefix}.${name}`,
      cleanup: 'delete' as const,
      retention: 30 * DAY,
      fenced: true,
    })) as [WantedTopic, WantedTopic];
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const warnings = async (...topics: WantedTopic[]) => {
      warned.mockClear();
      await ensureTopics(kafka, { TOPIC_PARTITIONS: 1 }, topics, new AbortController().signal);
      return warned.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('lost their lease'));
    };
    expect(await warnings({ ...open, fenced: false }, closed)).toEqual([]);
    const [warning, ...more] = await warnings(open, closed);
    expect(more).toEqual([]);
    expect(warning).toMatch(
      new RegExp(`for topic in ${open.name}; do kafka-configs.sh .* --topic \\$topic --add-config`),
    );

    const settings = /--add-config (\S+);/
      .exec(warning!)![1]!
      .split(',')
      .map((setting) => setting.split('='));
    const admin = kafka.admin();
    await admin.connect();
    const configEntries = settings.map(([name, value]) => ({ name: name!, value: value! }));
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: open.name, configEntries }],
    });
    await admin.disconnect();
    expect(await warnings(open, closed)).toEqual([]);
    warned.mockRestore();
  });
});
