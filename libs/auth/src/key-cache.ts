import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { unavailable } from '#libs/http';
import type { VerificationKey } from './jwks.js';

/** Finds the public key that a token names. */
export interface KeySource {
  /** The key with this `kid`, or undefined when the issuer has none such. @throws Problem 503 when it cannot be asked. */
  find(kid: string): Promise<VerificationKey | undefined>;
  /** Whether a token that this key signed may pass without a new look at the issuer's keys. */
  isFresh(kid: string): boolean;
}

export const KEY_SOURCE = Symbol('KEY_SOURCE');

/** In milliseconds. */
export interface KeyCacheLimits {
  /** Least time between two loads because of unknown kids: made-up ones must not make this service flood the issuer. */
  coolDown: number;
  /** Age at which keys are loaded anew, so that a withdrawn one ends here, too. */
  maxAge: number;
  /** Time for which old keys stay in use after a load has failed, before the next attempt. */
  retryAfter: number;
}

/**
 * The issuer's keys as last loaded. An unknown `kid` waits for the next load, which all who wait share: one made up just
 * before a new key is published cannot shut that key out. Known keys stay in use while loading fails.
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
    /** Monotonic milliseconds: a clock that jumps neither floods the issuer nor keeps a key for ever. */
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
      .catch((error: Error) => this.log.warn(`the keys of tokens cannot be loaded: ${error.message}`))
      .finally(() => (this.loading = undefined)));
  }
}
