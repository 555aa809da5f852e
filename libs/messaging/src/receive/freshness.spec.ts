import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import type { Kafka } from '../kafka/kafkajs.js';
import { Freshness } from './freshness.js';

const WITHIN = 300;

describe('proofs of freshness', () => {
  let freshness: Freshness;
  afterEach(() => freshness.close());

  /** Of a topic of one partition, which has `high` messages, as a broker says that answers so. */
  function start(answer: () => Promise<unknown>, positions = new Map([['t/0', 7n]]), high = '7') {
    const admin = {
      connect: async () => undefined,
      disconnect: async () => undefined,
      fetchTopicOffsets: () => answer().then(() => [{ partition: 0, high }]),
    };
    freshness = new Freshness({ admin: () => admin } as unknown as Kafka, 't', WITHIN, () => positions);
  }
  const everProven = async () => {
    for (let n = 0; n < 60; n++) {
      if (freshness.isProven) return true;
      await sleep(20);
    }
    return false;
  };

  it('come from a broker that answers', async () => {
    start(async () => undefined);
    expect(await everProven()).toBe(true);
  });

  it('do not come from one that is frozen, and end when it freezes', async () => {
    let frozen = false;
    start(() => (frozen ? new Promise(() => undefined) : Promise.resolve()));
    expect(await everProven()).toBe(true);
    frozen = true;
    await waitFor(() => !freshness.isProven);
    expect(await everProven()).toBe(false);
  });

  it('do not come from answers that are late', async () => {
    start(() => sleep(WITHIN + 50));
    expect(await everProven()).toBe(false);
  });

  it('do not come while something is not handled', async () => {
    start(async () => undefined, new Map([['t/0', 6n]]));
    expect(await everProven()).toBe(false);
  });

  it('do not come from a partition of which nothing was read, unless it is empty', async () => {
    start(async () => undefined, new Map());
    expect(await everProven()).toBe(false);
    await freshness.close();
    start(async () => undefined, new Map(), '0');
    expect(await everProven()).toBe(true);
  });
});
