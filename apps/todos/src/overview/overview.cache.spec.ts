import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { register } from 'prom-client';
import type { EventServer } from '#libs/messaging';
import { cacheStatusOf, OverviewCache } from './overview.cache.js';

const ADA = '01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f';
const EVE = '01998d2f-6c1e-7b3a-9f00-000000000000';

describe('the cache of overviews', () => {
  const freshness = { isProven: true };
  const events = { freshness: () => freshness } as unknown as EventServer;
  const config = { OVERVIEW_CACHE_BYTES: 100_000, OVERVIEW_CACHE_MAX_AGE: 30_000 };
  let cache: OverviewCache;
  let loads: PromiseWithResolvers<unknown>[];
  beforeEach(() => {
    jest.restoreAllMocks();
    freshness.isProven = true;
    cache = new OverviewCache(events, config);
    loads = [];
  });

  const ask = (userId = ADA, anew = false, part: 'profile' | 'notifications' = 'profile') =>
    cache.get(
      part,
      userId,
      () => {
        const load = Promise.withResolvers<unknown>();
        loads.push(load);
        return load.promise;
      },
      anew,
    );
  /** Asks and lets the load, if there is one, end with this. */
  const have = async (value: unknown, ...how: Parameters<typeof ask>) => {
    const known = loads.length;
    const { outcome, value: answer } = ask(...how);
    if (loads.length > known) loads.at(-1)!.resolve(value);
    return [outcome, await answer];
  };

  it('answers from memory what was loaded, to the same person and of the same part', async () => {
    expect(await have('ada')).toEqual(['miss', 'ada']);
    expect(await have('none')).toEqual(['hit', 'ada']);
    expect(await have('eve', EVE)).toEqual(['miss', 'eve']);
    expect(await have(3, ADA, false, 'notifications')).toEqual(['miss', 3]);
    expect(await have('none')).toEqual(['hit', 'ada']);
  });

  it('loads again what has expired, of that person alone', async () => {
    await have('old');
    await have(3, ADA, false, 'notifications');
    await have('eve', EVE);
    cache.expire(ADA);
    expect(await have('new')).toEqual(['miss', 'new']);
    expect(await have(4, ADA, false, 'notifications')).toEqual(['miss', 4]);
    expect(await have('none', EVE)).toEqual(['hit', 'eve']);
  });

  it('does not keep what was read before a change and arrived after the expiry', async () => {
    const early = ask();
    cache.expire(ADA);
    loads[0]!.resolve('before the change');
    expect(await early.value).toBe('before the change');
    await turn();
    expect(await have('after it')).toEqual(['miss', 'after it']);
  });

  it('lets nobody join a load that began before an expiry', async () => {
    const early = ask();
    expect(ask().outcome).toBe('collapsed');
    cache.expire(ADA);
    const late = ask();
    expect([late.outcome, loads.length]).toEqual(['miss', 2]);
    loads[1]!.resolve('new');
    await late.value;
    loads[0]!.resolve('old');
    await early.value;
    await turn();
    expect(await have('none')).toEqual(['hit', 'new']);
  });

  it('loads once for all who ask at the same time', async () => {
    const asked = Array.from({ length: 5 }, () => ask());
    expect(asked.map(({ outcome }) => outcome)).toEqual(['miss', ...Array.from({ length: 4 }, () => 'collapsed')]);
    loads[0]!.resolve('ada');
    expect(new Set(await Promise.all(asked.map(({ value }) => value)))).toEqual(new Set(['ada']));
    expect(loads).toHaveLength(1);
  });

  it('keeps neither failures nor nothing', async () => {
    const failing = ask();
    loads[0]!.reject(new Error('away'));
    await expect(failing.value).rejects.toThrow('away');
    expect(await have(null)).toEqual(['miss', null]);
    expect(await have('ada')).toEqual(['miss', 'ada']);
  });

  it('uses nothing that is too old, counted from when its load began', async () => {
    const now = performance.now();
    const clock = jest.spyOn(performance, 'now').mockReturnValue(now);
    const slow = ask();
    clock.mockReturnValue(now + 20_000);
    loads[0]!.resolve('old');
    await slow.value;
    clock.mockReturnValue(now + 29_999);
    expect(await have('none')).toEqual(['hit', 'old']);
    clock.mockReturnValue(now + 30_000);
    expect(await have('new')).toEqual(['stale', 'new']);
  });

  it('asks anew when nobody can say whether it is current, or when the client wants it', async () => {
    await have('old');
    freshness.isProven = false;
    expect(await have('new')).toEqual(['bypass', 'new']);
    freshness.isProven = true;
    expect(await have('none')).toEqual(['hit', 'new']);
    expect(await have('newest', ADA, true)).toEqual(['request', 'newest']);
    expect(await have('none')).toEqual(['hit', 'newest']);
  });

  it('stays below its bytes, and gives up what was used longest ago', async () => {
    const people = Array.from({ length: 300 }, (_, n) => `person-${n}`);
    const name = 'x'.repeat(200);
    for (const person of people) {
      await have(name, person);
      expect(cache.bytes).toBeLessThanOrEqual(config.OVERVIEW_CACHE_BYTES);
      await have('none', people[0]);
    }
    expect(cache.bytes).toBeGreaterThan(config.OVERVIEW_CACHE_BYTES / 2);
    expect([await have('none', people[0]), await have('none', people[299])]).toEqual([
      ['hit', name],
      ['hit', name],
    ]);
    expect(await have('again', people[1])).toEqual(['miss', 'again']);
    for (const person of people) cache.expire(person);
    expect(cache.bytes).toBe(0);
  });

  it('counts what was answered how', async () => {
    const hits = async () => {
      const { values } = await register.getSingleMetric('tasklane_cache_requests_total')!.get();
      return values.find(({ labels }) => labels['part'] === 'profile' && labels['outcome'] === 'hit')?.value ?? 0;
    };
    const before = await hits();
    for (const value of [1, 2, 3]) await have(value);
    expect(await hits()).toBe(before + 2);
  });

  it('says the worst of both parts', () => {
    expect(cacheStatusOf('hit', 'hit')).toBe('tasklane; hit');
    expect(cacheStatusOf('hit', 'collapsed')).toBe('tasklane; fwd=miss; collapsed');
    expect(cacheStatusOf('bypass', 'hit')).toBe('tasklane; fwd=bypass');
  });
});
