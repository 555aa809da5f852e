import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { KEY_SOURCE, type KeySource } from './key-cache.js';

export interface TokenUser {
  id: string;
  sessionId: string;
  roles: string[];
  scope: string;
  issuedAt: number;
  /** `exp`, in milliseconds since 1970. */
  expiresAt: number;
}

/**
 * Caches verified tokens, by their hash, until they expire or their key is withdrawn: verifying a
 * signature costs 100 µs, a lookup 2. Bounded; the oldest entries are evicted first.
 */
@Injectable()
export class VerifiedTokens {
  private readonly entries = new Map<string, { user: TokenUser; kid: string }>();
  private readonly limit = 20_000;

  constructor(@Inject(KEY_SOURCE) private readonly keys: KeySource) {}

  get(token: string): TokenUser | undefined {
    const key = keyOf(token);
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.user.expiresAt > Date.now() && this.keys.isFresh(entry.kid)) return entry.user;
    this.entries.delete(key);
    return undefined;
  }

  set(token: string, user: TokenUser, kid: string): void {
    if (this.entries.size >= this.limit) this.entries.delete(this.entries.keys().next().value!);
    this.entries.set(keyOf(token), { user, kid });
  }
}

const keyOf = (token: string) => hash('sha256', token, 'base64');
