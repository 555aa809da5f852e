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
export const jwks = z.object({ keys: z.array(publicKey) }).meta({
  id: 'Jwks',
  description: 'The public keys (RFC 7517)',
  example: {
    keys: [
      {
        kty: 'EC',
        crv: 'P-256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
        kid: '01998d2f',
        alg: 'ES256',
        use: 'sig',
      },
    ],
  },
});

/** The part of OpenID Connect Discovery 1.0 that a verifier of access tokens needs. */
export const openIdConfiguration = z
  .object({ issuer: z.string(), jwks_uri: z.url(), id_token_signing_alg_values_supported: z.array(z.string()) })
  .meta({
    id: 'OpenIdConfiguration',
    description: 'Issuer and address of the keys (OpenID Connect Discovery 1.0)',
    example: {
      issuer: 'https://todo.example.com',
      jwks_uri: 'https://todo.example.com/.well-known/jwks.json',
      id_token_signing_alg_values_supported: ['ES256'],
    },
  });
