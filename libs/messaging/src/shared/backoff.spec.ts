import { describe, expect, it } from '@jest/globals';
import { atMost, backoff, pause, Semaphore } from './backoff.js';

describe('backoff', () => {
  it('doubles up to its most, with at most half of it random', () => {
    for (let failures = 0; failures < 100; failures++) {
      const full = Math.min(100 * 2 ** failures, 5000);
      const wait = backoff(failures, 100, 5000);
      expect(wait).toBeGreaterThanOrEqual(full / 2);
      expect(wait).toBeLessThanOrEqual(full);
    }
  });
});

describe('pause', () => {
  it('ends at once when its signal aborts, before or meanwhile', async () => {
    const aborting = new AbortController();
    const pausing = pause(3_600_000, aborting.signal);
    aborting.abort();
    await pausing;
    await pause(3_600_000, aborting.signal);
  });
});

describe('atMost', () => {
  it('waits for the work, not for its success, and not for ever', async () => {
    await atMost(3_600_000, Promise.reject(new Error('failed')));
    await atMost(1, new Promise(() => undefined));
  });
});

describe('a semaphore', () => {
  it('lets in so many at once, in the order in which they came, also after failures', async () => {
    const semaphore = new Semaphore(2);
    const order: number[] = [];
    let inside = 0;
    let most = 0;
    const tasks = Array.from({ length: 6 }, (_, number) =>
      semaphore.run(async () => {
        order.push(number);
        most = Math.max(most, ++inside);
        await Promise.resolve();
        inside--;
        if (number % 2) throw new Error('odd');
      }),
    );
    const results = await Promise.allSettled(tasks);
    expect(results.map(({ status }) => status === 'rejected')).toEqual([false, true, false, true, false, true]);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    expect(most).toBe(2);
  });
});
