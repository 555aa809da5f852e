import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { unavailable } from '#libs/http';
import type { VerificationKey } from './jwks.js';

export interface KeySource {
  /** The key with this `kid`; undefined when the issuer has none. @throws Problem 503 when the issuer is not available. */
  find(kid: string): Promise<VerificationKey | undefined>;
  /** Whether a token signed with this key is accepted without reloading the issuer's keys. */
  isFresh(kid: string): boolean;
}

export const KEY_SOURCE = Symbol('KEY_SOURCE');

/** In milliseconds. */
export interface KeyCacheLimits {
  /** Minimum time between two loads because of unknown kids: forged ones must not cause a flood of requests to the issuer. */
  coolDown: number;
  /** Age at which keys are reloaded, so that withdrawn ones are dropped. */
  maxAge: number;
  /** Time after a failed load until the next attempt; old keys stay in use. */
  retryAfter: number;
}

/**
 * The issuer's keys as last loaded. An unknown `kid` waits for the next load, which all waiting callers share: a forged one just
 * before a new key is published cannot lock that key out. Known keys stay in use while loading fails.
 */
export class KeyCache implements KeySource {
  private readonly log = new Logger('Auth');
  private keys: ReadonlyMap<string, VerificationKey> = new Map();
  private loadedAt = -Infinity;
  private triedAt = -Infinity;
  private failed = false;
  private loading: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(
    private readonly read: () => Promise<ReadonlyMap<string, VerificationKey>>,
    private readonly limits: KeyCacheLimits,
    /** Monotonic milliseconds, so that adjustments of the clock have no effect. */
    private readonly time = { now: () => performance.now(), sleep: (milliseconds: number) => sleep(milliseconds) },
  ) {}

  isFresh(kid: string): boolean {
    return this.keys.has(kid) && !this.isOld();
  }

  async find(kid: string): Promise<VerificationKey | undefined> {
    if (this.keys.has(kid)) await this.renew();
    else await this.search(kid);
    return this.keys.get(kid);
  }

  /** Loads the keys when they are old. A failure is logged, and what was loaded before stays. */
  async renew(): Promise<void> {
    const mayTry = this.loading === undefined && this.time.now() - this.triedAt >= this.limits.retryAfter;
    if (this.isOld() && mayTry) await this.attempt();
  }

  /** Loads the keys now. @throws what reading them throws. */
  async load(): Promise<void> {
    this.triedAt = this.time.now();
    this.failed = true;
    this.keys = await this.read();
    this.loadedAt = this.time.now();
    this.failed = false;
  }

  private isOld(): boolean {
    return this.time.now() - this.loadedAt >= this.limits.maxAge;
  }

  private async search(kid: string): Promise<void> {
    // A load that has begun may have read before the key was published, so its failure to find it proves nothing.
    await this.loading;
    if (this.keys.has(kid)) return;
    await (this.next ??= this.loadNext());
    if (this.failed && !this.keys.has(kid)) throw unavailable('The check of access tokens');
  }

  private async loadNext(): Promise<void> {
    const pause = this.loadedAt === -Infinity ? 0 : this.triedAt + this.limits.coolDown - this.time.now();
    await this.time.sleep(Math.max(0, pause));
    this.next = undefined;
    await this.attempt();
  }

  private attempt(): Promise<void> {
    return (this.loading ??= this.load()
      .catch((error: Error) => this.log.warn(`the token keys cannot be loaded: ${error.message}`))
      .finally(() => (this.loading = undefined)));
  }
}
