import { Inject, Injectable } from '@nestjs/common';
import { Strategy, type VerifiedCallback } from 'passport-jwt';
import { z } from 'zod';
import { Problem } from '#libs/http';
import { CONFIG } from '#libs/service';
import { scopeMissing, tokenExpired, tokenInvalid } from './auth.errors.js';
import { type AuthConfig, OWN_TOKENS } from './auth.settings.js';
import { ALGORITHMS, type VerificationKey } from './jwks.js';
import { KEY_SOURCE, type KeySource } from './key-cache.js';
import { type TokenUser, VerifiedTokens } from './verified-tokens.js';

/** How far the clock of the issuer may be ahead, in seconds. */
const CLOCK_SKEW = 60;

const claimsWithin = (maxLife: number) =>
  z
    .object({
      sub: z.uuid(),
      sid: z.string().min(1).max(255),
      iat: z.int(),
      exp: z.int(),
      scope: z.string().default(''),
      roles: z.array(z.string()).default([]),
    })
    .refine(({ iat, exp }) => exp - iat <= maxLife / 1000 && iat <= Date.now() / 1000 + CLOCK_SKEW);

interface Header {
  kid?: string;
  typ?: string;
  alg?: string;
}

/** passport-jwt extracts the token from a request; here it may have come over HTTP, gRPC or Kafka. */
interface Request {
  token: string;
}

/** The only validation of access tokens (RFC 9068): signature, `typ`, issuer, audience, expiry, claims, scope. See ADR 7. */
@Injectable()
export class TokenStrategy extends Strategy {
  private readonly type: string;
  private readonly scope: string;
  private readonly claims: ReturnType<typeof claimsWithin>;

  constructor(
    @Inject(CONFIG) config: AuthConfig,
    @Inject(KEY_SOURCE) keys: KeySource,
    private readonly verified: VerifiedTokens,
  ) {
    super(
      {
        jwtFromRequest: (request: unknown) => (request as Request).token,
        secretOrKeyProvider: (_request: unknown, token: string, done: (error: unknown, key?: never) => void) => {
          this.keyOf(token, keys).then(
            ({ key }) => done(null, key as never),
            (error: unknown) => done(error),
          );
        },
        algorithms: [...ALGORITHMS] as never,
        issuer: config.TOKEN_ISSUER,
        audience: config.TOKEN_AUDIENCE,
        passReqToCallback: true,
      },
      (request: unknown, payload: unknown, done: VerifiedCallback) =>
        done(null, this.userOf(request as Request, payload)),
    );
    this.type = config.TOKEN_TYPE ?? OWN_TOKENS.type;
    this.scope = config.TOKEN_SCOPE ?? OWN_TOKENS.scope;
    this.claims = claimsWithin(config.TOKEN_MAX_LIFE ?? OWN_TOKENS.maxLife);
  }

  /** @throws Problem 401, 403 for a token without the scope, 503 when the issuer's keys are not available. */
  verify(token: string): Promise<TokenUser> {
    return new Promise((resolve, reject) => {
      // As passport runs a strategy, without its registry, which is global to the process.
      const attempt = Object.assign(Object.create(this) as this, {
        success: resolve,
        fail: (reason: unknown) => reject(refusal(reason)),
        error: reject,
      });
      attempt.authenticate({ token } as never);
    });
  }

  /** The claims of a token whose signature, issuer, audience and expiry are valid. */
  private userOf({ token }: Request, payload: unknown): TokenUser {
    const { success, data: claims } = this.claims.safeParse(payload);
    if (!success) throw tokenInvalid();
    if (!claims.scope.split(' ').includes(this.scope)) throw scopeMissing(this.scope);
    const user = {
      id: claims.sub,
      sessionId: claims.sid,
      roles: claims.roles,
      scope: claims.scope,
      issuedAt: claims.iat * 1000,
      expiresAt: claims.exp * 1000,
    };
    this.verified.set(token, user, header(token).kid!);
    return user;
  }

  private async keyOf(token: string, keys: KeySource): Promise<VerificationKey> {
    const { kid, typ, alg } = header(token);
    if (typ?.toLowerCase().replace(/^application\//, '') !== this.type.toLowerCase()) throw tokenInvalid();
    const found = kid === undefined ? undefined : await keys.find(kid);
    if (found === undefined || (found.alg ?? alg) !== alg) throw tokenInvalid();
    return found;
  }
}

function refusal(reason: unknown): Problem {
  if (reason instanceof Problem) return reason;
  return (reason as Error | undefined)?.name === 'TokenExpiredError' ? tokenExpired() : tokenInvalid();
}

function header(token: string): Header {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token.split('.', 1)[0]!, 'base64url').toString('utf8'));
    return z.object({ kid: z.string(), typ: z.string(), alg: z.string() }).partial().parse(parsed);
  } catch {
    throw tokenInvalid();
  }
}
