import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';
import { isDatabaseUnavailable } from './database.errors.js';
import { PooledClient } from './pooled-client.js';

const server = new URL(process.env.TASKLANE_TEST_POSTGRES!);

describe('a pooled connection', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  it('ends when the server vanishes without a word, and its query fails as an outage', async () => {
    const wire = await createWire();
    const client = await open(wire.port, 500);
    expect((await client.query('SELECT $1::int AS one', [1])).rows).toEqual([{ one: 1 }]);
    wire.cut();
    const begun = Date.now();
    const error: unknown = await client.query('SELECT $1::int AS one', [2]).catch((cause: unknown) => cause);
    expect(isDatabaseUnavailable(error)).toBe(true);
    expect(Date.now() - begun).toBeGreaterThan(2000);
  });

  it('stays while nobody asks anything, and is watched afterwards as before', async () => {
    const wire = await createWire();
    const client = await open(wire.port, 200);
    await sleep(2500);
    expect((await client.query('SELECT $1::int AS one', [1])).rows).toEqual([{ one: 1 }]);
    wire.cut();
    const error: unknown = await client.query('SELECT $1::int AS one', [2]).catch((cause: unknown) => cause);
    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  async function open(port: number, limit: number): Promise<Client> {
    const url = new URL(server);
    url.host = `127.0.0.1:${port}`;
    const client: Client = new PooledClient({ connectionString: url.href, statement_timeout: limit });
    await client.connect();
    ends.push(() => client.end());
    return client;
  }

  /** A network between client and server that can be cut: then nothing arrives, and neither side is told. */
  async function createWire(): Promise<{ port: number; cut: () => void }> {
    const sockets: Socket[] = [];
    const wire: Server = createServer((near) => {
      const far = connect(Number(server.port), server.hostname);
      sockets.push(
        near.on('error', () => undefined),
        far.on('error', () => undefined),
      );
      near.pipe(far).pipe(near);
    });
    wire.listen(0, '127.0.0.1');
    await once(wire, 'listening');
    ends.unshift(() => {
      for (const socket of sockets) socket.destroy();
      wire.close();
    });
    const cut = () => {
      for (const socket of sockets) socket.unpipe().pause();
    };
    return { port: (wire.address() as AddressInfo).port, cut };
  }
});
