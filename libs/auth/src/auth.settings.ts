import { z } from 'zod';
import { setting } from '#libs/service';

/** How a service that does not issue tokens checks them. Any OpenID provider with a JWKS can stand in for users. */
export const authSettings = {
  TOKEN_ISSUER: setting('The `iss` that access tokens must carry', z.string().min(1), { default: 'http://tasklane' }),
  TOKEN_AUDIENCE: setting('The `aud` that access tokens must carry', z.string().min(1), { default: 'tasklane' }),
  JWKS_URL: setting('Where the public keys of the issuer are (RFC 7517)', z.url(), {
    default: 'http://users:8080/.well-known/jwks.json',
  }),
};

export interface AuthConfig {
  TOKEN_ISSUER: string;
  TOKEN_AUDIENCE: string;
  JWKS_URL: string;
}
