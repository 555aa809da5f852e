import { describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { createDatabase, ownKafka, ownPostgres, query, testKafka, waitFor } from '#libs/testing';

const admin = (brokers: string) => new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();

describe('the servers of a test run', () => {
  it('give each suite an empty database that goes away with its connections', async () => {
    const [one, other] = await Promise.all([createDatabase(), createDatabase()]);
    await query(one.url, 'CREATE TABLE t (n int)');
    await expect(query(other.url, 'SELECT * FROM t')).rejects.toThrow('does not exist');
    const connected = new Client({ connectionString: one.url });
    const ended = new Promise((resolve) => connected.on('error', resolve));
    await connected.connect();
    await one.drop();
    await ended;
    await other.drop();
    await expect(query(one.url, 'SELECT 1')).rejects.toThrow('does not exist');
  });

  it('give each suite topics of its own on a broker that makes none by itself', async () => {
    const { brokers, topicPrefix } = testKafka();
    expect(testKafka().topicPrefix).not.toBe(topicPrefix);
    const client = admin(brokers);
    await client.connect();
    await client.createTopics({ topics: [{ topic: `${topicPrefix}.a`, numPartitions: 3 }] });
    await waitFor(async () => (await client.listTopics()).includes(`${topicPrefix}.a`));
    await expect(client.fetchTopicMetadata({ topics: [`${topicPrefix}.b`] })).rejects.toThrow('does not host');
    await client.disconnect();
  });

  it('include a PostgreSQL that can be killed and comes back with its data on the same port', async () => {
    const postgres = await ownPostgres();
    try {
      await query(postgres.url, 'CREATE TABLE kept AS SELECT 7 AS n');
      await postgres.kill();
      await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
      await postgres.start();
      expect(await query(postgres.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
    } finally {
      await postgres.remove();
    }
  });

  it('include a broker that can be killed and comes back with its topics on the same port', async () => {
    const kafka = await ownKafka();
    try {
      const before = admin(kafka.brokers);
      await before.connect();
      await before.createTopics({ topics: [{ topic: 'kept' }] });
      await before.disconnect();
      await kafka.kill();
      await kafka.start();
      const after = admin(kafka.brokers);
      await after.connect();
      expect(await after.listTopics()).toContain('kept');
      await after.disconnect();
    } finally {
      await kafka.remove();
    }
  });
});
