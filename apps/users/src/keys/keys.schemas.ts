import { z } from 'zod';

const publicKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  kid: z.string(),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
});

/** RFC 7517 §5 */
export const jwks = z.object({ keys: z.array(publicKey) }).meta({ id: 'Jwks' });

/** The part of OpenID Connect Discovery 1.0 that a verifier of access tokens needs. */
export const openIdConfiguration = z
  .object({ issuer: z.string(), jwks_uri: z.url(), id_token_signing_alg_values_supported: z.array(z.string()) })
  .meta({ id: 'OpenIdConfiguration' });
