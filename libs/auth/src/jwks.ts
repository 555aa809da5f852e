import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';

/**
 * The accepted algorithms of RFC 7518: public-key ones only, so neither `none` nor a shared secret.
 * jsonwebtoken, on which passport-jwt is based, does not support EdDSA.
 */
export const ALGORITHMS = ['ES256', 'RS256', 'PS256'] as const;

/** A public key, and its only algorithm where the issuer names one. */
export interface VerificationKey {
  key: KeyObject;
  alg: string | undefined;
}

const jwkSet = z.object({ keys: z.array(z.unknown()) });

const signingJwk = z.looseObject({
  kty: z.enum(['EC', 'RSA']),
  kid: z.string().min(1),
  use: z.literal('sig').optional(),
  key_ops: z
    .array(z.string())
    .refine((operations) => operations.includes('verify'))
    .optional(),
  alg: z.enum(ALGORITHMS).optional(),
});

/**
 * The usable keys of a JWK set (RFC 7517), by `kid`. All others are skipped, as §5 asks for.
 * @throws z.ZodError for what is no JWK set.
 */
export function verificationKeys(set: unknown): Map<string, VerificationKey> {
  const found = new Map<string, VerificationKey>();
  for (const candidate of jwkSet.parse(set).keys) {
    const { data: jwk } = signingJwk.safeParse(candidate);
    const key = jwk && publicKey(jwk);
    if (key) found.set(jwk.kid, { key, alg: jwk.alg });
  }
  return found;
}

function publicKey(jwk: z.infer<typeof signingJwk>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}
