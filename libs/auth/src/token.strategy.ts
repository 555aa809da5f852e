import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import type { FastifyRequest } from 'fastify';
import { CONFIG } from '#libs/service';
import type { AuthConfig } from './auth.settings.js';
import { KEY_SOURCE, type KeySource } from './key-source.js';
import { type TokenUser, VerifiedTokens } from './verified-tokens.js';

/** The algorithms of RFC 7518 that are accepted: public-key ones only, so that neither `none` nor a shared secret passes. */
const ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const;

interface Claims {
  sub: string;
  sid: string;
  exp: number;
  scope?: string;
  roles?: string[];
}

/** Checks access tokens by RFC 9068: signature, `typ`, issuer, audience, expiry. */
@Injectable()
export class TokenStrategy extends PassportStrategy(Strategy, 'access-token') {
  constructor(
    @Inject(CONFIG) config: AuthConfig,
    @Inject(KEY_SOURCE) keys: KeySource,
    private readonly verified: VerifiedTokens,
  ) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: (_request: unknown, token: string, done: (error: unknown, key?: never) => void) => {
        keyOf(token, keys).then(
          (key) => done(null, key as never),
          (error: unknown) => done(error),
        );
      },
      algorithms: [...ALGORITHMS] as never,
      issuer: config.TOKEN_ISSUER,
      audience: config.TOKEN_AUDIENCE,
      passReqToCallback: true,
    });
  }

  validate(request: FastifyRequest, claims: Claims): TokenUser {
    const user = {
      id: claims.sub,
      sessionId: claims.sid,
      roles: claims.roles ?? [],
      scope: claims.scope ?? '',
      expiresAt: claims.exp * 1000,
    };
    this.verified.set(bearerToken(request)!, user);
    return user;
  }
}

export const bearerToken = (request: FastifyRequest): string | undefined =>
  /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];

async function keyOf(token: string, keys: KeySource) {
  const { kid, typ } = header(token);
  if (!/^(application\/)?at\+jwt$/i.test(typ ?? '')) throw new Error('not an access token');
  const key = kid === undefined ? undefined : await keys.find(kid);
  if (key === undefined) throw new Error('unknown key');
  return key;
}

function header(token: string): { kid?: string; typ?: string } {
  try {
    return JSON.parse(Buffer.from(token.split('.', 1)[0]!, 'base64url').toString('utf8')) as {
      kid?: string;
      typ?: string;
    };
  } catch {
    throw new Error('malformed token');
  }
}
