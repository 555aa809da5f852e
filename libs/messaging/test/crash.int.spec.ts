import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { createDatabase, testKafka, waitFor } from '#libs/testing';
import { STEPS } from './crash-child.js';
import { type Effect, effectsIn, RecordDrawn } from './effects.js';
import { FailFirst } from './failing.js';
import { publishInto, type ReplicaOptions, startReplica } from './replica.js';
import { numberDrawn } from './test-events.js';

const EVENTS = 120;
const KEYS = 6;
const child = fileURLToPath(new URL('../../../dist/libs/messaging/test/crash-child.js', import.meta.url));

const entries = Array.from({ length: EVENTS }, (_, index) => {
  const key = `key-${index % KEYS}`;
  return { event: numberDrawn, key, data: { key, n: Math.floor(index / KEYS) + 1 } };
});

/** Adds events to the outbox, lets a replica kill itself at `step` and a healthy one take over. */
async function survive(step: (typeof STEPS)[number]): Promise<{ signal: unknown; effects: Effect[] }> {
  const database = await createDatabase();
  const { brokers, topicPrefix: prefix } = testKafka();
  const options: ReplicaOptions = { databaseUrl: database.url, brokers, prefix };
  try {
    const dying = spawn(process.execPath, [child], {
      stdio: 'inherit',
      env: { ...process.env, TEST_CRASH: JSON.stringify({ ...options, step }) },
    });
    const exit = once(dying, 'exit');
    await publishInto(options, entries);
    const [, signal] = (await exit) as [number | null, string | null];
    const controllers = step.includes('retry') ? [FailFirst] : [RecordDrawn];
    const sound = await startReplica({ ...options, controllers });
    try {
      await waitFor(async () => (await effectsIn(sound.dataSource)).length >= EVENTS, {
        timeout: 30_000,
        what: 'all effects',
      });
      return { signal, effects: await effectsIn(sound.dataSource) };
    } finally {
      await sound.close();
    }
  } finally {
    await database.drop();
  }
}

describe('kill -9 in the middle', () => {
  // All at once: each spends most of its time waiting for the broker to notice a death.
  const results = new Map(STEPS.map((step) => [step, survive(step)]));
  for (const result of results.values()) result.catch(() => undefined);

  it.each(STEPS)('%s: nothing is lost, doubled or reordered', async (step) => {
    const { signal, effects } = await results.get(step)!;
    expect(signal).toBe('SIGKILL');
    expect(new Set(effects.map(({ event_id }) => event_id)).size).toBe(EVENTS);
    expect(effects).toHaveLength(EVENTS);
    // Events that went through a retry topic have lost their order.
    const inOrder = effects.filter(({ attempt }) => attempt === 1);
    for (const ofKey of Map.groupBy(inOrder, ({ key }) => key).values()) {
      const numbers = ofKey.map(({ n }) => n);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });
});
