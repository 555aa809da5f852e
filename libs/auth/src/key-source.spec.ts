import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '#libs/testing';
import { RemoteKeys } from './key-source.js';

const publicJwk = (kid: string) => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  kid,
});

describe('RemoteKeys', () => {
  let server: Server;
  let url: string;
  let fetches: number;
  let answer: { status: number; keys: unknown[] };
  let clock: FakeClock;
  const keys = () =>
    new RemoteKeys(url, { coolDown: 10_000, maxAge: 600_000, timeout: 500 }, () => clock.now().getTime());

  beforeEach(async () => {
    fetches = 0;
    clock = new FakeClock();
    answer = { status: 200, keys: [publicJwk('a')] };
    server = createServer((_request, response) => {
      fetches++;
      response.writeHead(answer.status).end(JSON.stringify({ keys: answer.keys }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  afterEach(() => {
    server.close();
  });

  it('fetches once for many tokens at the same time', async () => {
    const source = keys();
    const found = await Promise.all(Array.from({ length: 50 }, () => source.find('a')));
    expect(found.every((key) => key?.asymmetricKeyType === 'ec')).toBe(true);
    expect(fetches).toBe(1);
  });

  it('an unknown kid is asked for again only after the cool-down', async () => {
    const source = keys();
    await source.find('a');
    expect(await source.find('b')).toBeUndefined();
    expect(fetches).toBe(1);
    answer.keys = [publicJwk('a'), publicJwk('b')];
    clock.advance(10_000);
    expect(await source.find('b')).toBeDefined();
    expect(fetches).toBe(2);
  });

  it('a withdrawn key ends with maxAge', async () => {
    const source = keys();
    await source.find('a');
    answer.keys = [publicJwk('b')];
    clock.advance(600_000);
    expect(await source.find('a')).toBeUndefined();
  });

  it('keeps known keys while the issuer is down', async () => {
    const source = keys();
    await source.find('a');
    answer.status = 500;
    clock.advance(600_000);
    expect(await source.find('a')).toBeDefined();
  });

  it('answers 503, not 401, while it has never reached the issuer, and recovers at once', async () => {
    answer.status = 500;
    const source = keys();
    await expect(source.find('a')).rejects.toMatchObject({ status: 503, extra: { retryAfter: 2 } });
    answer.status = 200;
    await expect(source.find('a')).resolves.toBeDefined();
  });
});
