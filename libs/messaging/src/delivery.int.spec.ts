import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, testKafka, waitFor } from '#libs/testing';
import { effectsIn, RecordDrawn } from '../test/effects.js';
import { type Replica, startReplica } from '../test/replica.js';
import { numberDrawn } from '../test/test-events.js';

describe('an event', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let replica: Replica;

  beforeAll(async () => {
    database = await createDatabase();
    const { brokers, topicPrefix } = testKafka();
    replica = await startReplica({ databaseUrl: database.url, brokers, prefix: topicPrefix, controllers: [RecordDrawn] });
  });

  afterAll(async () => {
    await replica.close();
    await database.drop();
  });

  it('reaches its handler once, and leaves the outbox empty', async () => {
    await replica.publish({ event: numberDrawn, key: 'a', data: { key: 'a', n: 1 } });
    const effects = await waitFor(async () => {
      const found = await effectsIn(replica.dataSource);
      return found.length > 0 && found;
    });
    expect(effects).toMatchObject([{ key: 'a', n: 1, attempt: 1 }]);
    await waitFor(async () => (await replica.dataSource.query('SELECT FROM outbox')).length === 0);
  });
});
