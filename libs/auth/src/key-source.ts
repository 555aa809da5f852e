import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { unavailable } from '#libs/http';

/** Finds the public key that a token names. */
export interface KeySource {
  /** The key with this `kid`, or undefined when the issuer has none such. @throws Problem 503 when it cannot be asked. */
  find(kid: string): Promise<KeyObject | undefined>;
}

export const KEY_SOURCE = Symbol('KEY_SOURCE');

interface Jwks {
  keys: (JsonWebKey & { kid?: string })[];
}

/**
 * The issuer's keys over HTTP (RFC 7517). Fetched on an unknown `kid`, at most once in `coolDown`, so that tokens with
 * made-up kids cannot make this service flood the issuer. Known keys stay in use while the issuer is down, and are
 * fetched anew after `maxAge`, so that a withdrawn key ends here too.
 */
export class RemoteKeys implements KeySource {
  private readonly log = new Logger('Auth');
  private keys = new Map<string, KeyObject>();
  private fetchedAt = -Infinity;
  private triedAt = -Infinity;
  private pending: Promise<void> | undefined;

  constructor(
    private readonly url: string,
    private readonly limits = { coolDown: 10_000, maxAge: 600_000, timeout: 3000 },
    /** Monotonic milliseconds: a clock that jumps neither floods the issuer nor keeps a key for ever. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  async find(kid: string): Promise<KeyObject | undefined> {
    const known = this.keys.get(kid);
    if (known && this.now() - this.fetchedAt < this.limits.maxAge) return known;
    const mayAsk = this.fetchedAt === -Infinity || this.now() - this.triedAt >= this.limits.coolDown;
    if (mayAsk) await (this.pending ??= this.fetch().finally(() => (this.pending = undefined)));
    if (this.fetchedAt === -Infinity) throw unavailable('The check of access tokens');
    return this.keys.get(kid);
  }

  private async fetch(): Promise<void> {
    this.triedAt = this.now();
    try {
      const response = await fetch(this.url, { signal: AbortSignal.timeout(this.limits.timeout) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const { keys } = (await response.json()) as Jwks;
      this.keys = new Map(keys.flatMap((key) => (key.kid ? [[key.kid, createPublicKey({ key, format: 'jwk' })]] : [])));
      this.fetchedAt = this.now();
    } catch (error) {
      const { message, cause } = error as Error;
      this.log.warn(
        `keys cannot be fetched from ${this.url}: ${message} ${cause instanceof Error ? cause.message : ''}`,
      );
    }
  }
}
