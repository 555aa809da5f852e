import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, exportJWK, importJWK, SignJWT } from 'jose';
import type { Client } from './client.js';

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Tokens that must be refused, made from a valid one, `token`; `api` gives the public keys. */
export async function badTokens(api: Client, token: string): Promise<[name: string, token: string][]> {
  const { kid } = decodeProtectedHeader(token);
  const claims = decodeJwt(token);
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const foreign = (head: object, body: object = claims) =>
    new SignJWT(body as typeof claims).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...head }).sign(privateKey);

  // The public key as a shared secret: https://www.rfc-editor.org/rfc/rfc8725#section-2.1
  const { body: jwks } = await api.get<{ keys: Record<string, string>[] }>('/.well-known/jwks.json');
  const publicKey = await importJWK(jwks.keys.find((key) => key.kid === kid) ?? jwks.keys[0]!, 'ES256');
  const secret = Buffer.from(JSON.stringify(await exportJWK(publicKey)));
  const confused = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid }).sign(secret);

  return [
    ['a malformed one', 'nonsense'],
    ['an empty part', `${header}..${signature}`],
    ['alg none', `${encode({ alg: 'none', typ: 'at+jwt', kid })}.${payload}.`],
    ['alg none, spelt otherwise', `${encode({ alg: 'nOnE', typ: 'at+jwt', kid })}.${payload}.`],
    ['signed by a foreign key under our key id', await foreign({ kid })],
    ['signed by a foreign key under its own id', await foreign({ kid: 'foreign' })],
    ['signed by a foreign key, for a day', await foreign({ kid }, { ...claims, exp: (claims.exp ?? 0) + 86_400 })],
    ['expired, and signed by a foreign key', await foreign({ kid }, { ...claims, exp: 1_700_000_000 })],
    ['our public key as a shared secret', await confused],
    ['claims changed after signing', `${header}.${encode({ ...claims, sub: randomUUID() })}.${signature}`],
    ['without a signature', `${header}.${payload}.`],
  ];
}
