import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { cacheTopic } from '#libs/contracts';
import { EventServer, type Freshness } from '#libs/messaging';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { type OverviewPart, overviewParts } from './overview.schemas.js';

/** Where a part came from, and its Cache-Status (RFC 9211). */
const OUTCOMES = {
  hit: 'hit',
  /** Shared a load that was already running. */
  collapsed: 'fwd=miss; collapsed',
  miss: 'fwd=miss',
  /** Older than its maximum age. */
  stale: 'fwd=stale',
  /** The client asked for a fresh one. */
  request: 'fwd=request',
  /** It is unknown whether the entry is current: Kafka is unavailable or lagging. */
  bypass: 'fwd=bypass',
};
type Outcome = keyof typeof OUTCOMES;

/** The Cache-Status of a response: that of the part furthest from a hit. */
export function cacheStatusOf(...outcomes: Outcome[]): string {
  const furthest = (Object.keys(OUTCOMES) as Outcome[]).findLast((outcome) => outcomes.includes(outcome))!;
  return `tasklane; ${OUTCOMES[furthest]}`;
}

interface Entry {
  value: unknown;
  /** When its load began, in monotonic milliseconds. */
  since: number;
  size: number;
}

/** Milliseconds within which hits reflect a published expiry. */
const WITHIN = 1000;
/** Bytes per entry besides its text, as measured. */
const OVERHEAD = 300;

const requests = new Counter({
  name: 'tasklane_cache_requests_total',
  help: 'Parts of overviews by where they came from: hit is from the cache, collapsed from a load that was under way',
  labelNames: ['part', 'outcome'],
});
const evictions = new Counter({
  name: 'tasklane_cache_evictions_total',
  help: 'Entries that made room for newer ones',
});
const caches = new Set<OverviewCache>();
void new Gauge({
  name: 'tasklane_cache_bytes',
  help: 'Size of the cached parts of overviews, about',
  collect() {
    this.set([...caches].reduce((sum, { bytes }) => sum + bytes, 0));
  },
});

/**
 * Caches responses of other services in memory until they publish that something has changed. Bounded in bytes; the least
 * recently used entries are evicted.
 */
@Injectable()
export class OverviewCache {
  /** By part and person, least recently used first. */
  private readonly entries = new Map<string, Entry>();
  /** Running loads whose result may be stored. */
  private readonly loads = new Map<string, Promise<unknown>>();
  private readonly freshness: Freshness;
  bytes = 0;

  constructor(
    events: EventServer,
    @Inject(CONFIG) private readonly config: Pick<Config, 'OVERVIEW_CACHE_BYTES' | 'OVERVIEW_CACHE_MAX_AGE'>,
  ) {
    this.freshness = events.freshness(cacheTopic, WITHIN);
    caches.add(this);
  }

  /**
   * @param load null is not stored. @param anew loads in any case.
   * @returns at once; `value` rejects with what `load` throws.
   */
  get<T>(
    part: OverviewPart,
    userId: string,
    load: () => Promise<T | null>,
    anew: boolean,
  ): { outcome: Outcome; value: Promise<T | null> } {
    const key = keyOf(part, userId);
    const entry = this.entries.get(key);
    const outcome = anew ? 'request' : this.find(key, entry);
    requests.inc({ part, outcome });
    if (outcome === 'collapsed') return { outcome, value: this.loads.get(key) as Promise<T | null> };
    if (outcome !== 'hit') return { outcome, value: this.load(key, load) };
    this.entries.delete(key);
    this.entries.set(key, entry!);
    return { outcome, value: Promise.resolve(entry!.value as T) };
  }

  /** Drops a person's entries, and the results of running loads, which may already be outdated. */
  expire(userId: string): void {
    for (const part of overviewParts) {
      const key = keyOf(part, userId);
      this.loads.delete(key);
      this.remove(key);
    }
  }

  private find(key: string, entry: Entry | undefined): Outcome {
    if (!this.freshness.isProven) return 'bypass';
    if (entry && performance.now() - entry.since < this.config.OVERVIEW_CACHE_MAX_AGE) return 'hit';
    if (this.loads.has(key)) return 'collapsed';
    return entry ? 'stale' : 'miss';
  }

  private load<T>(key: string, load: () => Promise<T | null>): Promise<T | null> {
    const since = performance.now();
    const loading = load();
    this.loads.set(key, loading);
    const end = (value: T | null) => {
      // Expired or replaced meanwhile, so this may be outdated.
      if (this.loads.get(key) !== loading) return;
      this.loads.delete(key);
      if (value !== null) this.store(key, { value, since, size: 2 * JSON.stringify(value).length + OVERHEAD });
    };
    loading.then(end, () => end(null));
    return loading;
  }

  private store(key: string, entry: Entry): void {
    this.remove(key);
    this.entries.set(key, entry);
    this.bytes += entry.size;
    while (this.bytes > this.config.OVERVIEW_CACHE_BYTES) {
      this.remove(this.entries.keys().next().value!);
      evictions.inc();
    }
  }

  private remove(key: string): void {
    this.bytes -= this.entries.get(key)?.size ?? 0;
    this.entries.delete(key);
  }
}

const keyOf = (part: OverviewPart, userId: string) => `${part} ${userId}`;
