import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase } from '#libs/testing';
import { Client } from 'pg';
import { SHARDS, ShardLeases } from './shard-leases.js';

describe('relays that share the shards', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  const members: { client: Client; leases: ShardLeases }[] = [];
  let time = 0;

  beforeAll(async () => {
    database = await createDatabase();
  });
  afterEach(async () => {
    await Promise.all(members.splice(0).map(({ client }) => client.end()));
  });
  afterAll(() => database.drop());

  async function join(): Promise<void> {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    members.push({ client, leases: await ShardLeases.join(client) });
  }

  /** Lets everybody balance twice: first some give, then others take. */
  async function balance(): Promise<number[]> {
    for (let round = 0; round < 2; round++) {
      time += 10_000;
      for (const { leases } of members) await leases.balance(time);
    }
    return members.map(({ leases }) => leases.shards.length);
  }

  const all = () => members.flatMap(({ leases }) => leases.shards).sort((a, b) => a - b);
  const everyShard = Array.from({ length: SHARDS }, (_, shard) => shard);

  it('hold each shard once, about as many each, and those of the dead', async () => {
    await join();
    expect(await balance()).toEqual([16]);
    await join();
    expect(await balance()).toEqual([8, 8]);
    expect(all()).toEqual(everyShard);
    await join();
    expect((await balance()).toSorted((a, b) => a - b)).toEqual([4, 6, 6]);
    expect(all()).toEqual(everyShard);
    const [dead] = members.splice(0, 1);
    await dead!.client.end();
    expect(await balance()).toEqual([8, 8]);
    expect(all()).toEqual(everyShard);
  });

  it('do not count those of another database', async () => {
    const other = await createDatabase();
    const stranger = new Client({ connectionString: other.url });
    await stranger.connect();
    const leases = await ShardLeases.join(stranger);
    await leases.balance(0);
    await join();
    expect(await balance()).toEqual([16]);
    expect(leases.shards).toHaveLength(16);
    await stranger.end();
    await other.drop();
  });
});
