import { Inject, Injectable } from '@nestjs/common';
import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { uuidv7 } from '#libs/messaging';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { Keys } from '../keys/keys.service.js';

/** The only scope there is: everything the person may do in Tasklane. */
const SCOPE = 'tasklane';

const claims = z.object({
  iss: z.string(),
  aud: z.string(),
  sub: z.uuid(),
  sid: z.uuid(),
  iat: z.int(),
  exp: z.int(),
  scope: z.string(),
});
export type AccessClaims = z.infer<typeof claims>;

/** Access tokens by RFC 9068, signed with ES256. */
@Injectable()
export class AccessTokens {
  constructor(
    private readonly keys: Keys,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Makes a token for one session of a user. `expiresIn` is in seconds. */
  async issue(user: { id: string; roles: string[] }, sessionId: string): Promise<{ token: string; expiresIn: number }> {
    const { kid, key } = await this.keys.current();
    const expiresIn = Math.floor(this.config.ACCESS_TOKEN_TTL / 1000);
    const now = Math.floor(Date.now() / 1000);
    const token = await new SignJWT({ sid: sessionId, scope: SCOPE, roles: user.roles })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
      .setIssuer(this.config.TOKEN_ISSUER)
      .setAudience(this.config.TOKEN_AUDIENCE)
      .setSubject(user.id)
      .setJti(uuidv7())
      .setIssuedAt(now)
      .setExpirationTime(now + expiresIn)
      .sign(key);
    return { token, expiresIn };
  }

  /** The claims of a valid token; undefined for one that is malformed, foreign or expired. */
  async verify(token: string): Promise<AccessClaims | undefined> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.key(kid), {
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer: this.config.TOKEN_ISSUER,
        audience: this.config.TOKEN_AUDIENCE,
      });
      return claims.parse(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof z.ZodError) return undefined;
      throw error;
    }
  }

  private async key(kid: string | undefined) {
    const key = kid === undefined ? undefined : await this.keys.find(kid);
    if (key === undefined) throw new errors.JWKSNoMatchingKey();
    return key;
  }
}
