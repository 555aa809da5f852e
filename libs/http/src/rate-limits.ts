import type { FastifyInstance, FastifyReply, onRequestHookHandler } from 'fastify';
import { networkOf } from './network.js';
import { sendProblem } from './problem.filter.js';
import { tooManyRequests } from './problems.js';
import { policyItem, type Quota, type QuotaState, type Rate, stateItem } from './quota.js';

/** How many keys a generation holds. */
const GENERATION = 20_000;

/**
 * Counts in memory, for this process alone, by GCRA: a key may have `most` at once, and gets them back evenly over the window.
 * Bounded by two generations of keys, the older of which is forgotten when the younger is full.
 */
export class RateLimiter {
  /** When all that a key took will have been given back. */
  private young = new Map<string, number>();
  private old = new Map<string, number>();
  private readonly interval: number;
  private readonly policy: string;

  constructor(private readonly quota: Quota) {
    this.interval = quota.window / quota.most;
    this.policy = policyItem(quota);
  }

  /** Counts one. When there was none left, -1 remain. */
  take(key: string): QuotaState {
    const { quota, interval } = this;
    const now = performance.now();
    const before = Math.max(this.young.get(key) ?? this.old.get(key) ?? 0, now);
    const restored = before + interval;
    const spare = quota.window - (restored - now);
    // A sum of intervals may be off by less than a microsecond.
    const isRefused = spare < -0.001;
    this.young.set(key, isRefused ? before : restored);
    if (this.young.size >= GENERATION) [this.old, this.young] = [this.young, new Map()];
    if (isRefused) return { quota, remaining: -1, reset: -spare };
    return { quota, remaining: Math.floor(spare / interval + 0.001), reset: restored - now };
  }

  /** Sets the response headers, replacing those of another limiter. */
  tell(reply: FastifyReply, state: QuotaState): void {
    reply.header('ratelimit-policy', this.policy).header('ratelimit', stateItem(state));
  }
}

/** Limits the routes of the API by the client's network. Must be called before the routes are added. */
export function limitNetworks(fastify: FastifyInstance, rate: Rate | undefined): void {
  if (!rate) return;
  const limiter = new RateLimiter({ name: 'network', ...rate });
  const limit: onRequestHookHandler = (request, reply, done) => {
    const state = limiter.take(networkOf(request.ip));
    if (state.remaining < 0) return sendProblem(tooManyRequests(state), request, reply);
    // Authenticated callers get the headers of their own limit instead.
    if (request.headers.authorization === undefined) limiter.tell(reply, state);
    done();
  };
  fastify.addHook('onRoute', (route) => {
    if (isLimited(route.url)) route.onRequest = [limit, ...[route.onRequest ?? []].flat()];
  });
}

/** Probes, keys and documents are not. */
export const isLimited = (path: string) => path.startsWith('/api/') && !/\/(docs|openapi\.json)(\/|$)/.test(path);
