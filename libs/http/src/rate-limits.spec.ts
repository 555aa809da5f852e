import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { FastifyReply } from 'fastify';
import { isLimited, RateLimiter } from './rate-limits.js';

const MINUTE = 60_000;

describe('a limiter', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const limiterOf = (most: number, window = MINUTE) => new RateLimiter({ name: 'person', most, window });
  /** How many of `count` it lets through. */
  const passed = (limiter: RateLimiter, count: number, key = 'ada') =>
    Array.from({ length: count }, () => limiter.take(key)).filter(({ remaining }) => remaining >= 0).length;

  it.each([1, 2, 3, 7, 60, 999, 30_000])('lets exactly %i through at once', (most) => {
    const limiter = limiterOf(most);
    const left = Array.from({ length: most }, () => limiter.take('ada').remaining);
    expect(left).toEqual(left.map((_, n) => most - n - 1));
    expect(limiter.take('ada').remaining).toBe(-1);
  });

  it('gives back evenly, and says when', () => {
    const limiter = limiterOf(60);
    expect(passed(limiter, 100)).toBe(60);
    expect(limiter.take('ada')).toMatchObject({ remaining: -1, reset: 1000 });
    jest.advanceTimersByTime(999);
    expect(passed(limiter, 10)).toBe(0);
    jest.advanceTimersByTime(1);
    expect(passed(limiter, 10)).toBe(1);
    jest.advanceTimersByTime(10 * MINUTE);
    expect(passed(limiter, 100)).toBe(60);
  });

  it('counts each key for itself', () => {
    const limiter = limiterOf(3);
    expect(passed(limiter, 5)).toBe(3);
    expect(passed(limiter, 5, 'bob')).toBe(3);
  });

  it('is bounded, and remembers who keeps coming while others flood it', () => {
    const limiter = limiterOf(3);
    expect(passed(limiter, 3)).toBe(3);
    for (let n = 0; n < 200_000; n++) {
      limiter.take(`stranger ${n}`);
      if (n % 10_000 === 0) expect(passed(limiter, 1)).toBe(0);
    }
    const { young, old } = limiter as unknown as Record<'young' | 'old', Map<string, number>>;
    expect(young.size + old.size).toBeLessThanOrEqual(40_000);
  });

  it('tells what is left as the draft says', () => {
    const headers: Record<string, string> = {};
    const reply = {
      header: (name: string, value: string) => {
        headers[name] = value;
        return reply;
      },
    } as unknown as FastifyReply;
    const limiter = limiterOf(100, 1500);
    limiter.tell(reply, limiter.take('ada'));
    expect(headers).toEqual({ 'ratelimit-policy': '"person";q=100;w=2', ratelimit: '"person";r=99;t=1' });
  });
});

it.each([
  ['/api/v1/lists/:id', true],
  ['/api/v1/users', true],
  ['/api/v1/todos/docs', false],
  ['/api/v1/docs/swagger-ui.css', false],
  ['/api/v1/openapi.json', false],
  ['/livez', false],
  ['/.well-known/jwks.json', false],
])('%s is limited: %s', (path, limited) => {
  expect(isLimited(path)).toBe(limited);
});
