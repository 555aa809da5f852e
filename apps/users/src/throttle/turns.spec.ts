import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Turns } from './turns.service.js';

const settings = { HASH_CONCURRENCY: 1, HASH_QUEUE: 256, HASH_MAX_WAIT: 15_000 };

/** Hashes that end when the test says so. */
function hashing(changes: Partial<typeof settings> = {}) {
  const turns = new Turns({ ...settings, ...changes });
  const order: string[] = [];
  const refused: string[] = [];
  const running: (() => void)[] = [];
  const apply = (name: string, applicant: { network?: string; account?: string; device?: string } = {}) => {
    const work = () => new Promise<void>((end) => (order.push(name), running.push(end)));
    const whom = { network: applicant.network ?? name, account: applicant.account ?? name, device: applicant.device };
    turns.run(whom, work).catch((error: { code: string; extra: { retryAfter: number } }) => {
      expect([error.code, error.extra.retryAfter]).toEqual(['too-many-waiting', 5]);
      refused.push(name);
    });
  };
  /** Ends hashes until `count` more have begun. */
  const go = async (count: number) => {
    for (const most = order.length + count; running.length > 0 && order.length < most;) {
      running.shift()!();
      await turnOfTheLoop();
    }
  };
  return { apply, go, order, refused, running };
}

const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

describe('turns', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('are so many at once', async () => {
    const { apply, go, order, running } = hashing({ HASH_CONCURRENCY: 4 });
    many(10, (n) => apply(`stranger ${n}`));
    expect(order).toHaveLength(4);
    await go(6);
    expect([order.length, running.length]).toEqual([10, 4]);
  });

  it('come to a known device next, with a thousand strangers of as many networks waiting', async () => {
    const { apply, go, order, refused } = hashing();
    many(1000, (n) => apply(`stranger ${n}`));
    apply('Ada', { device: 'her browser' });
    await go(1);
    expect(order).toEqual(['stranger 0', 'Ada']);
    await turnOfTheLoop();
    // One at work, 256 waiting.
    expect(refused).toHaveLength(1000 - 257);
  });

  it('come to strangers, too, however many known devices wait', async () => {
    const { apply, go, order } = hashing();
    many(100, (n) => apply('known', { device: `device ${n}` }));
    apply('Ada');
    apply('Bob');
    await go(8);
    expect(order.filter((name) => name !== 'known')).toEqual(['Ada', 'Bob']);
  });

  it('are refused to who waited too long, and the others go on', async () => {
    const { apply, go, order, refused } = hashing();
    const now = jest.spyOn(performance, 'now').mockReturnValue(0);
    many(3, (n) => apply(`stranger ${n}`));
    now.mockReturnValue(14_000);
    apply('Ada');
    now.mockReturnValue(15_001);
    await go(1);
    await turnOfTheLoop();
    expect([order, refused]).toEqual([
      ['stranger 0', 'Ada'],
      ['stranger 1', 'stranger 2'],
    ]);
  });

  it('go on after a hash that failed', async () => {
    const turns = new Turns(settings);
    const whom = { network: 'n', account: 'a', device: undefined };
    const failing = turns.run(whom, () => Promise.reject(new Error('out of memory')));
    const next = turns.run(whom, async () => 'hashed');
    await expect(failing).rejects.toThrow('out of memory');
    await expect(next).resolves.toBe('hashed');
  });
});
