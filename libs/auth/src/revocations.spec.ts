import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Revocations } from './revocations.js';

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);

describe('revocations', () => {
  afterEach(() => void jest.useRealTimers());

  it('are kept until the last token has ended, and not much longer', () => {
    jest.useFakeTimers();
    const revocations = new Revocations();
    revocations.add('over', inSeconds(-1));
    revocations.add('short', inSeconds(10));
    revocations.add('long', inSeconds(300));
    expect(['over', 'short', 'long'].map((id) => revocations.has(id))).toEqual([false, true, true]);
    jest.advanceTimersByTime(90_000);
    revocations.add('new', inSeconds(10));
    expect(['short', 'long', 'new'].map((id) => revocations.has(id))).toEqual([false, true, true]);
    expect(revocations.size).toBe(2);
  });

  it('take the same time each, however many there are', () => {
    const revocations = new Revocations();
    const started = performance.now();
    for (let n = 0; n < 50_000; n++) revocations.add(`session-${n}`, inSeconds(300));
    // A prune for each addition took 20 s for 20,000.
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
