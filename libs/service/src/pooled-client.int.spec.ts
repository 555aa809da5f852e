import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';
import { Wire } from '#libs/testing';
import { isDatabaseUnavailable } from './database.errors.js';
import { PooledClient } from './pooled-client.js';

const server = process.env.TASKLANE_TEST_POSTGRES!;

describe('a pooled connection', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  it('ends when the server vanishes without a word, and its query fails as an outage', async () => {
    const wire = await Wire.to(server);
    ends.unshift(() => wire.close());
    const client = await open(wire.url, 500);
    expect((await client.query('SELECT $1::int AS one', [1])).rows).toEqual([{ one: 1 }]);
    wire.lose();
    const begun = Date.now();
    const error: unknown = await client.query('SELECT $1::int AS one', [2]).catch((cause: unknown) => cause);
    expect(isDatabaseUnavailable(error)).toBe(true);
    expect(Date.now() - begun).toBeGreaterThan(2000);
  });

  it('stays while nobody asks anything, and is watched afterwards as before', async () => {
    const wire = await Wire.to(server);
    ends.unshift(() => wire.close());
    const client = await open(wire.url, 200);
    await sleep(2500);
    expect((await client.query('SELECT $1::int AS one', [1])).rows).toEqual([{ one: 1 }]);
    wire.lose();
    const error: unknown = await client.query('SELECT $1::int AS one', [2]).catch((cause: unknown) => cause);
    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  async function open(url: string, limit: number): Promise<Client> {
    const client: Client = new PooledClient({ connectionString: url, statement_timeout: limit });
    await client.connect();
    ends.push(() => client.end());
    return client;
  }
});
