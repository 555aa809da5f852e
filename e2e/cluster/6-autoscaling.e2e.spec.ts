import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { fixed, isReady, pods, print, since, underLoad, upgrade } from './release.js';

describe('the autoscaler', () => {
  beforeAll(
    () =>
      upgrade({
        'defaults.autoscaling.enabled': true,
        'defaults.autoscaling.minReplicas': 1,
        'defaults.autoscaling.maxReplicas': 3,
        'defaults.autoscaling.targetCPUUtilizationPercentage': 50,
        'defaults.autoscaling.behavior.scaleDown.stabilizationWindowSeconds': 15,
      }),
    400_000,
  );
  afterAll(() => upgrade(fixed), 400_000);

  const count = async () => (await pods('todos')).filter(isReady).length;

  it('adds pods under load and removes them after it; nothing fails meanwhile', async () => {
    await waitFor(async () => (await count()) === 1, { timeout: 300_000, interval: 1000, what: 'one pod' });
    const report = await underLoad(
      'load for the autoscaler',
      async () => {
        const begun = Date.now();
        await waitFor(async () => (await count()) > 1, { timeout: 240_000, interval: 1000, what: 'a second pod' });
        print(`a second pod was ready after ${since(begun)}`);
      },
      { most: 300 },
    );
    // Some load continues during the scale-down.
    const begun = Date.now();
    const calm = await underLoad(
      'after the load',
      () => waitFor(async () => (await count()) === 1, { timeout: 360_000, interval: 1000, what: 'one pod again' }),
      { most: 10, share: 0 },
    );
    print(`one pod again after ${since(begun)}`);
    expect([report.failed, calm.failed]).toEqual([0, 0]);
  }, 900_000);
});
