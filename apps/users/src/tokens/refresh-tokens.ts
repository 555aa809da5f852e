import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { TokenSecret } from '../keys/token-secret.js';

/** The input of a refresh token's mac: its session, its generation, and the session's salt, which no token contains. */
export interface RefreshTokenName {
  sessionId: string;
  /** Each refresh begins the next one. */
  generation: number;
  salt: Buffer;
}

/** A parsed refresh token; verifying it takes the session's salt. */
export type ShownRefreshToken = Omit<RefreshTokenName, 'salt'> & { mac: Buffer };

/**
 * Refresh tokens: `<session id>.<generation>.<mac>`. The mac (HMAC-SHA256 over the rest and the session's salt, base64url) can
 * be recomputed at any time, so a lost answer can be repeated. That takes both TOKEN_SECRET and the database.
 */
@Injectable()
export class RefreshTokens {
  constructor(private readonly secret: TokenSecret) {}

  make(name: RefreshTokenName): string {
    return `${name.sessionId}.${name.generation}.${this.secret.mac('refresh tokens', macked(name)).toString('base64url')}`;
  }

  /** Parses a token; undefined when it is malformed. */
  read(token: string): ShownRefreshToken | undefined {
    const [, sessionId, generation, mac] = /^([0-9a-f-]{36})\.(0|[1-9]\d{0,8})\.([\w-]{43})$/.exec(token) ?? [];
    if (sessionId === undefined || !UUID.test(sessionId)) return undefined;
    return { sessionId, generation: Number(generation), mac: Buffer.from(mac!, 'base64url') };
  }

  /** Whether its mac is valid for the session with this salt. */
  isOurs({ mac, ...name }: ShownRefreshToken, salt: Buffer): boolean {
    return this.secret.macs('refresh tokens', macked({ ...name, salt })).some((right) => timingSafeEqual(right, mac));
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const macked = ({ sessionId, generation, salt }: RefreshTokenName) =>
  Buffer.concat([Buffer.from(`${sessionId}.${generation}`), salt]);
