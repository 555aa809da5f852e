import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { cacheTopic } from '#libs/contracts';
import { EventServer, type Freshness } from '#libs/messaging';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { type OverviewPart, overviewParts } from './overview.schemas.js';

/** How a part was answered, and what Cache-Status says of it (RFC 9211). */
const OUTCOMES = {
  hit: 'hit',
  /** By a load that was under way. */
  collapsed: 'fwd=miss; collapsed',
  miss: 'fwd=miss',
  /** It was there for too long. */
  stale: 'fwd=stale',
  /** The client wanted it anew. */
  request: 'fwd=request',
  /** Whether what is there is current cannot be said: Kafka is away, or its events are late. */
  bypass: 'fwd=bypass',
};
type Outcome = keyof typeof OUTCOMES;

/** The Cache-Status of an answer: that of the part which was furthest from a hit. */
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

/** Milliseconds: how late at most a hit reflects an expiry that was sent. */
const WITHIN = 1000;
/** Bytes that an entry takes besides its text, measured. */
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
 * What other services answered about people, in memory, until they publish that it has changed. Bounded in bytes; what was
 * used longest ago goes first.
 */
@Injectable()
export class OverviewCache {
  /** By part and person, in the order of their use. */
  private readonly entries = new Map<string, Entry>();
  /** Loads under way that may be stored. */
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
   * @param load null is not kept. @param anew loads in any case.
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

  /** Forgets what is known about somebody: what was asked for before this may already be wrong, and is not kept either. */
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
      // Expired meanwhile, or begun anew: this may be what was there before a change.
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
