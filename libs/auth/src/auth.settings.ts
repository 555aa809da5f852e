import { z } from 'zod';
import type { Rate } from '#libs/http';
import { duration, setting } from '#libs/service/setup';

/** Claims in the users service's tokens, and the defaults for other issuers. */
export const OWN_TOKENS = { type: 'at+jwt', scope: 'tasklane', maxLife: 3_600_000 };

/** How a service that does not issue tokens checks them. */
export const authSettings = {
  TOKEN_ISSUER: setting(
    'The `iss` that access tokens must carry; the `sub` must be the id of an account of the users service',
    z.string().min(1),
    { default: 'http://tasklane' },
  ),
  TOKEN_AUDIENCE: setting('The `aud` that access tokens must carry', z.string().min(1), { default: 'tasklane' }),
  TOKEN_TYPE: setting(
    'The `typ` of access tokens: at+jwt (RFC 9068), or JWT for an issuer that knows no other, such as Keycloak',
    z.enum(['at+jwt', 'JWT']),
    { default: OWN_TOKENS.type },
  ),
  TOKEN_SCOPE: setting(
    'The scope that access tokens must have among theirs',
    z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/),
    {
      default: OWN_TOKENS.scope,
    },
  ),
  TOKEN_MAX_LIFE: setting('Longest life, from `iat` to `exp`, of an access token that is accepted', duration, {
    default: '1h',
  }),
  JWKS_URL: setting('Where the public keys of the issuer are (RFC 7517)', z.url(), {
    default: 'http://users:8080/.well-known/jwks.json',
  }),
  JWKS_CA_FILE_PATH: setting(
    'PEM file with an authority that is accepted at JWKS_URL besides the well-known ones',
    z.string().optional(),
  ),
};

export interface AuthConfig {
  TOKEN_ISSUER: string;
  TOKEN_AUDIENCE: string;
  TOKEN_TYPE?: string;
  TOKEN_SCOPE?: string;
  /** Milliseconds. */
  TOKEN_MAX_LIFE?: number;
  JWKS_URL: string;
  JWKS_CA_FILE_PATH?: string | undefined;
  /** Of the requests of a person. */
  RATE_LIMIT_PERSON?: Rate | undefined;
}
