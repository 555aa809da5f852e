import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock, hasOpenssl, type SecretFiles, TestAuthority, waitFor } from '#libs/testing';
import { remoteKeys } from './remote-keys.js';

const publicJwk = (kid: string, members: object = {}) => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  kid,
  ...members,
});

describe('the keys of an issuer', () => {
  let server: Server;
  let url: string;
  let fetches: number;
  let answer: { status: number; keys: unknown[] };
  let clock: FakeClock;
  /** Delays answers until it is resolved. */
  let gate: Promise<void>;
  const LIMITS = { coolDown: 1000, maxAge: 600_000, retryAfter: 10_000 };
  const keys = () =>
    remoteKeys(url, undefined, LIMITS, {
      now: () => clock.now().getTime(),
      sleep: async (milliseconds) => clock.advance(milliseconds),
    });

  beforeEach(async () => {
    fetches = 0;
    clock = new FakeClock();
    gate = Promise.resolve();
    answer = { status: 200, keys: [publicJwk('a')] };
    server = createServer((_request, response) => {
      fetches++;
      const { status, keys: published } = answer;
      void gate.then(() => response.writeHead(status).end(JSON.stringify({ keys: published })));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  afterEach(() => {
    server.close();
  });

  it('are fetched once for many tokens at the same time', async () => {
    const source = keys();
    const found = await Promise.all(Array.from({ length: 50 }, () => source.find('a')));
    expect(found.every((one) => one?.key.asymmetricKeyType === 'ec')).toBe(true);
    expect(fetches).toBe(1);
  });

  it('are asked for again for a made-up kid, all at once together and at most once in the cool-down', async () => {
    const source = keys();
    await source.find('a');
    const begun = clock.now().getTime();
    const found = await Promise.all(Array.from({ length: 50 }, (_, index) => source.find(`made up ${index}`)));
    expect([found.filter(Boolean), fetches]).toEqual([[], 2]);
    for (const kid of ['b', 'c', 'd']) expect(await source.find(kid)).toBeUndefined();
    expect(fetches).toBe(5);
    expect(clock.now().getTime() - begun).toBe(4 * LIMITS.coolDown);
  });

  it('hold a new one at its first use, though a made-up kid came just before it', async () => {
    const source = keys();
    await source.find('a');
    expect(await source.find('made up')).toBeUndefined();
    answer.keys = [publicJwk('a'), publicJwk('b')];
    expect(await source.find('b')).toBeDefined();
  });

  it('let all wait who come while they are fetched, and fetch anew for a key published meanwhile', async () => {
    const source = keys();
    await source.find('a');
    const open = Promise.withResolvers<void>();
    gate = open.promise;
    const early = source.find('b');
    await waitFor(() => fetches === 2);
    answer.keys = [publicJwk('a'), publicJwk('b')];
    const late = Array.from({ length: 20 }, () => source.find('b'));
    open.resolve();
    expect(await early).toBeUndefined();
    expect((await Promise.all(late)).filter(Boolean)).toHaveLength(20);
    expect(fetches).toBe(3);
  });

  it('end with maxAge when they are withdrawn', async () => {
    const source = keys();
    await source.find('a');
    answer.keys = [publicJwk('b')];
    expect(source.isFresh('a')).toBe(true);
    clock.advance(600_000);
    expect(source.isFresh('a')).toBe(false);
    expect(await source.find('a')).toBeUndefined();
  });

  it('stay in use while the issuer is down, which is asked now and then; an unknown one cannot be judged', async () => {
    const source = keys();
    await source.find('a');
    answer.status = 500;
    clock.advance(600_000);
    for (let time = 0; time < 5; time++) expect(await source.find('a')).toBeDefined();
    expect(fetches).toBe(2);
    await expect(source.find('b')).rejects.toMatchObject({ status: 503 });
  });

  it('answer 503, not 401, while the issuer was never reached, and recover at once', async () => {
    answer.status = 500;
    const source = keys();
    await expect(source.find('a')).rejects.toMatchObject({ status: 503, extra: { retryAfter: 2 } });
    answer.status = 200;
    await expect(source.find('a')).resolves.toBeDefined();
  });

  it('are those that can check signatures here; the others are skipped', async () => {
    answer.keys = [
      'nonsense',
      { kty: 'OKP', crv: 'Ed448', x: 'AAAA', kid: 'unsupported curve' },
      { kty: 'oct', k: 'c2VjcmV0', kid: 'a shared secret' },
      { kty: 'EC', crv: 'P-256', x: 'broken', kid: 'broken' },
      publicJwk('for encryption', { use: 'enc' }),
      publicJwk('for agreement', { key_ops: ['deriveKey'] }),
      publicJwk('for another algorithm', { alg: 'ES512' }),
      publicJwk('good', { use: 'sig', alg: 'ES256' }),
      publicJwk('bare'),
    ];
    const source = keys();
    const found = await Promise.all(
      (answer.keys as { kid?: string }[]).map(async ({ kid = '' }) => ((await source.find(kid)) ? kid : undefined)),
    );
    expect(found.filter(Boolean)).toEqual(['good', 'bare']);
    expect((await source.find('good'))?.alg).toBe('ES256');
  });

  (hasOpenssl ? it : it.skip)(
    'come over TLS under an authority of their own, also after that was renewed',
    async () => {
      const [former, next] = [new TestAuthority(), new TestAuthority()];
      const pair = ({ 'tls.crt': cert, 'tls.key': key }: SecretFiles) => ({ cert, key });
      const secure = createSecureServer(pair(former.issue('IP:127.0.0.1')), (_request, response) =>
        response.end(JSON.stringify({ keys: answer.keys })),
      );
      await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
      const address = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/`;
      let authority: TestAuthority | undefined;
      const found = () => remoteKeys(address, () => authority && Buffer.from(authority.certificate)).find('a');
      try {
        await expect(found()).rejects.toMatchObject({ status: 503 });
        authority = former;
        expect(await found()).toBeDefined();
        secure.setSecureContext(pair(next.issue('IP:127.0.0.1')));
        await expect(found()).rejects.toMatchObject({ status: 503 });
        authority = next;
        expect(await found()).toBeDefined();
      } finally {
        secure.closeAllConnections();
        secure.close();
        for (const made of [former, next]) made.remove();
      }
    },
  );
});
