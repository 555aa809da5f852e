import { setTimeout as sleep } from 'node:timers/promises';

/** Waits by the monotonic clock; returns early, without an error, when `signal` aborts. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/** Waits for `work`, but no longer than `milliseconds`; never rejects. */
export async function atMost(milliseconds: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  const worked = work.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([worked, pause(milliseconds, timer.signal)]);
  timer.abort();
}

/** Doubles from `first` up to `most` milliseconds, and subtracts up to half at random so that replicas do not retry in step. */
export function backoff(failures: number, first: number, most: number): number {
  const full = Math.min(first * 2 ** Math.min(failures, 30), most);
  return full / 2 + (Math.random() * full) / 2;
}

/** At most `limit` tasks at once, first come first served. */
export class Semaphore {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free++;
    }
  }
}
