import { setTimeout as sleep } from 'node:timers/promises';

type Falsy = false | 0 | '' | null | undefined;

/**
 * Polls `condition` until its result is truthy, and returns that. Throws after `timeout`
 * milliseconds (15,000), naming `what` and the last error that `condition` threw.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  {
    timeout = 15_000,
    interval = 25,
    what = 'a condition',
  }: { timeout?: number; interval?: number; what?: string } = {},
): Promise<Exclude<T, Falsy>> {
  const end = Date.now() + timeout;
  for (;;) {
    let failure: unknown;
    try {
      const value = await condition();
      if (value) return value as Exclude<T, Falsy>;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > end) throw new Error(`waited ${timeout} ms in vain for ${what}`, { cause: failure });
    await sleep(interval);
  }
}
