import { z } from 'zod';
import { defineProblem } from './problem.js';

/** So many of something within a time. */
export interface Rate {
  most: number;
  /** In milliseconds. */
  window: number;
}

/** A rate that clients are told, by name. */
export interface Quota extends Rate {
  name: string;
}

/** What is left of a quota. */
export interface QuotaState {
  quota: Quota;
  remaining: number;
  /** Milliseconds until there is more. */
  reset: number;
}

const seconds = (milliseconds: number) => Math.max(1, Math.ceil(milliseconds / 1000));

/** An item of RateLimit-Policy: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ */
export const policyItem = ({ name, most, window }: Quota) => `"${name}";q=${most};w=${seconds(window)}`;

/** An item of RateLimit. */
export const stateItem = ({ quota, remaining, reset }: QuotaState) =>
  `"${quota.name}";r=${Math.max(0, remaining)};t=${seconds(reset)}`;

/** Ends a request that is beyond a limit; its answer names the limit in RateLimit, RateLimit-Policy and Retry-After. */
export const tooManyRequests = defineProblem<[exhausted: QuotaState]>({
  status: 429,
  code: 'too-many-requests',
  detail: ({ quota }) => `The limit "${quota.name}" of ${quota.most} in ${seconds(quota.window)} s is exhausted.`,
  description: 'A limit is exhausted; `limit` names it.',
  extra: (exhausted) => ({ limit: exhausted.quota.name, exhausted, retryAfter: seconds(exhausted.reset) }),
  members: { limit: z.string().describe('Its name in RateLimit and RateLimit-Policy') },
});
