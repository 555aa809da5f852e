import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase } from '#libs/testing';
import { requireOwnSessions } from './own-sessions.js';

const READY = Buffer.from('5a0000000549', 'hex');

/** Like pgbouncer in transaction mode: all clients' statements go through one server session. */
async function startPooler(url: string): Promise<{ url: string; close: () => void }> {
  const { hostname, port } = new URL(url);
  const far = connect(Number(port), hostname);
  let greeting: Promise<Buffer> | undefined;
  const answer = (): Promise<Buffer> =>
    new Promise((resolve) => {
      let received = Buffer.alloc(0);
      far.on('data', function listen(data) {
        received = Buffer.concat([received, data]);
        if (!received.subarray(-6).equals(READY)) return;
        far.off('data', listen);
        resolve(received);
      });
    });
  const near: Socket[] = [];
  const pooler: Server = createServer((client) => {
    near.push(client.on('error', () => undefined));
    client.once('data', (startup) => {
      if (!greeting) {
        greeting = answer();
        far.write(startup);
      }
      void greeting.then((welcome) => client.write(welcome));
      client.on('data', (message) => {
        if (message[0] !== 'Q'.charCodeAt(0)) return;
        void answer().then((data) => client.write(data));
        far.write(message);
      });
    });
  });
  pooler.listen(0, '127.0.0.1');
  await once(pooler, 'listening');
  const pooled = new URL(url);
  pooled.hostname = '127.0.0.1';
  pooled.port = String((pooler.address() as AddressInfo).port);
  const close = () => {
    for (const socket of [far, ...near]) socket.destroy();
    pooler.close();
  };
  return { url: pooled.href, close };
}

describe('an address of PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;

  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  it('is taken when each connection is a session of its own', async () => {
    expect(await requireOwnSessions({ DATABASE_URL: database.url })).toBe(true);
  });

  it('is refused when a pooler shares sessions among connections', async () => {
    const pooler = await startPooler(database.url);
    await expect(requireOwnSessions({ DATABASE_URL: pooler.url })).rejects.toThrow(
      /DATABASE_URL: a pooler in transaction or statement mode answers there/,
    );
    pooler.close();
  });

  it('is not judged while nobody answers', async () => {
    expect(await requireOwnSessions({ DATABASE_URL: 'postgres://127.0.0.1:1/none' })).toBe(false);
  });
});
