import { Inject, Injectable } from '@nestjs/common';
import { SignJWT } from 'jose';
import { OWN_TOKENS } from '#libs/auth';
import { uuidv7 } from '#libs/messaging';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { Keys } from '../keys/keys.service.js';

/** Access tokens by RFC 9068, signed with ES256. */
@Injectable()
export class AccessTokens {
  constructor(
    private readonly keys: Keys,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Issues a token for one session of a user. `expiresIn` is in seconds. */
  async issue(user: { id: string; roles: string[] }, sessionId: string): Promise<{ token: string; expiresIn: number }> {
    const { kid, key } = await this.keys.current();
    const expiresIn = Math.floor(this.config.ACCESS_TOKEN_TTL / 1000);
    const now = Math.floor(Date.now() / 1000);
    const token = await new SignJWT({ sid: sessionId, scope: OWN_TOKENS.scope, roles: user.roles })
      .setProtectedHeader({ alg: 'ES256', typ: OWN_TOKENS.type, kid })
      .setIssuer(this.config.TOKEN_ISSUER)
      .setAudience(this.config.TOKEN_AUDIENCE)
      .setSubject(user.id)
      .setJti(uuidv7())
      .setIssuedAt(now)
      .setExpirationTime(now + expiresIn)
      .sign(key);
    return { token, expiresIn };
  }
}
