import { describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { RecordDrawn } from '../../test/effects.js';
import { Suite } from '../../test/suite.js';
import { numberDrawn } from '../../test/test-events.js';
import { metrics } from '../shared/metrics.js';

const entries = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => {
    const n = from + index;
    return { event: numberDrawn, key: `key-${n % 7}`, data: { key: `key-${n % 7}`, n } };
  });

describe('a consumer group', () => {
  const suite = new Suite({ controllers: [RecordDrawn] });

  it('that reads every topic again from the beginning changes nothing', async () => {
    const topics = [suite.topic('numbers'), suite.topic('tests.retry-1')];
    await suite.replica.publish(...entries(0, 500));
    await suite.idle(topics);
    const before = await suite.effects();
    expect(before).toHaveLength(500);

    await suite.close(suite.replica);
    const admin = suite.replica.kafka.admin();
    await admin.connect();
    // A group that is not known starts at the beginning.
    await admin.deleteGroups([suite.topic('tests')]);
    await admin.disconnect();

    suite.replica = await suite.start();
    await suite.idle(topics);
    expect(await suite.effects()).toEqual(before);
  });

  it('shares its partitions with a second replica that joins and leaves while events flow', async () => {
    const before = (await suite.effects()).length;
    const [outer] = [suite.replica];
    const joining = suite.start();
    for (let n = 500; n < 1500; n += 20) await outer.publish(...entries(n, n + 20));
    const second = await joining;
    await suite.effectsReach(before + 1000);
    await suite.close(second);
    for (let n = 1500; n < 2000; n += 20) await outer.publish(...entries(n, n + 20));
    await suite.idle([suite.topic('numbers')]);
    const effects = (await suite.effects()).slice(before);
    expect(effects).toHaveLength(1500);
    for (const ofKey of Map.groupBy(effects, ({ key }) => key).values()) {
      const numbers = ofKey.map(({ n }) => n);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });

  it('commits what was under way when it closes, so that a restart finds nothing twice', async () => {
    const before = (await suite.effects()).length;
    await suite.replica.publish(...entries(2000, 3000));
    await waitFor(async () => (await suite.effects()).length > before, { what: 'the first effect' });
    await suite.close(suite.replica);
    const seen = await duplicates();
    suite.replica = await suite.start();
    await suite.idle([suite.topic('numbers')]);
    expect(await suite.effects()).toHaveLength(before + 1000);
    expect(await duplicates()).toBe(seen);
  });
});

async function duplicates(): Promise<number> {
  const { values } = await metrics.handled.get();
  return values.find(({ labels }) => labels.outcome === 'duplicate')?.value ?? 0;
}
