import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';

/** Stands for the users service where tokens are concerned: signs them, and publishes its key as JWKS. */
export interface TokenIssuer {
  jwksUrl: string;
  token: (
    userId: string,
    options?: { claims?: object; header?: Partial<JWTHeaderParameters>; ttl?: number },
  ) => Promise<string>;
  close: () => void;
}

export async function startTokenIssuer(): Promise<TokenIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'test', alg: 'ES256', use: 'sig' }] });
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(jwks);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    token: (userId, { claims, header, ttl = 600 } = {}) => {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ sid: '01998d30-0000-7000-8000-000000000001', scope: 'tasklane', ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'test', typ: 'at+jwt', ...header })
        .setIssuer('http://tasklane')
        .setAudience('tasklane')
        .setSubject(userId)
        .setIssuedAt(now)
        .setExpirationTime(now + ttl)
        .sign(privateKey);
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
