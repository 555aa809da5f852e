import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';

/** Who is calling, as the access token says. */
export interface TokenUser {
  id: string;
  sessionId: string;
  roles: string[];
  scope: string;
  /** When the token ends, in milliseconds since 1970. */
  expiresAt: number;
}

/**
 * Remembers tokens whose signature was checked, by their hash and until they end: a check of a signature costs 100 µs, a
 * look here 2. Bounded; the oldest entries go first.
 */
@Injectable()
export class VerifiedTokens {
  private readonly users = new Map<string, TokenUser>();
  private readonly limit = 20_000;

  get(token: string): TokenUser | undefined {
    const key = keyOf(token);
    const user = this.users.get(key);
    if (user === undefined || user.expiresAt > Date.now()) return user;
    this.users.delete(key);
    return undefined;
  }

  set(token: string, user: TokenUser): void {
    if (this.users.size >= this.limit) this.users.delete(this.users.keys().next().value!);
    this.users.set(keyOf(token), user);
  }
}

const keyOf = (token: string) => hash('sha256', token, 'base64');
