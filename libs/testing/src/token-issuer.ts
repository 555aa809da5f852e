import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';

export interface TokenIssuer {
  jwksUrl: string;
  /** An access token (RFC 9068) as users issues them, with `changes` to its claims. `foreign` signs with another key. */
  token: (
    userId: string,
    changes?: JWTPayload & { roles?: string[] },
    options?: { foreign?: boolean },
  ) => Promise<string>;
  stop: () => Promise<void>;
}

/** Replaces the users service where only its tokens matter: publishes a key and signs with it. */
export async function startTokenIssuer(): Promise<TokenIssuer> {
  const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = [{ ...(await exportJWK(ours.publicKey)), kid: 'test', alg: 'ES256', use: 'sig' }];
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/jwk-set+json').end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    token: (userId, changes = {}, options = {}) =>
      sign(options.foreign ? foreign.privateKey : ours.privateKey, userId, changes),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sign(key: KeyObject, userId: string, changes: JWTPayload): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'http://tasklane',
    aud: 'tasklane',
    sub: userId,
    sid: randomUUID(),
    jti: randomUUID(),
    iat: now,
    exp: now + 300,
    scope: 'tasklane',
    roles: [],
  };
  return new SignJWT({ ...claims, ...changes })
    .setProtectedHeader({ alg: 'ES256', kid: 'test', typ: 'at+jwt' })
    .sign(key);
}
