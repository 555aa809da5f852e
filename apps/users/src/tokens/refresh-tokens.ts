import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { TokenSecret } from '../keys/token-secret.js';

/** Which token of which session: each refresh begins the next generation. */
export interface RefreshTokenName {
  sessionId: string;
  generation: number;
}

/**
 * Refresh tokens: `<session id>.<generation>.<mac>`. The mac (HMAC-SHA256 over the rest, base64url) can be made anew at any
 * time from TOKEN_SECRET, so the database holds nothing that a thief could use, and a lost answer can be repeated.
 */
@Injectable()
export class RefreshTokens {
  constructor(private readonly secret: TokenSecret) {}

  make({ sessionId, generation }: RefreshTokenName): string {
    const name = `${sessionId}.${generation}`;
    return `${name}.${this.secret.mac(name).toString('base64url')}`;
  }

  /** What the token names, or undefined when it was not made here. */
  read(token: string): RefreshTokenName | undefined {
    const [, name, sessionId, generation, mac] = /^(([0-9a-f-]{36})\.(\d{1,9}))\.([\w-]{43})$/.exec(token) ?? [];
    if (name === undefined) return undefined;
    if (!timingSafeEqual(this.secret.mac(name), Buffer.from(mac!, 'base64url'))) return undefined;
    return { sessionId: sessionId!, generation: Number(generation) };
  }
}
