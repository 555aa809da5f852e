import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { Client } from 'pg';
import { createOutbox } from '../../test/outbox.js';
import { FENCE } from '../kafka/topics.js';
import { SHARDS, ShardLeases } from './shard-leases.js';

const LANDING = FENCE.before + FENCE.after;

describe('relays that share the shards', () => {
  let database: Awaited<ReturnType<typeof createOutbox>>;
  const members: { client: Client; leases: ShardLeases }[] = [];
  let time = 0;

  beforeAll(async () => {
    database = await createOutbox();
  });
  afterEach(async () => {
    await Promise.all(members.splice(0).map(leave));
  });
  afterAll(() => database.drop());

  async function join(): Promise<void> {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    members.push({ client, leases: await ShardLeases.join(client) });
  }

  async function leave({ client, leases }: (typeof members)[number]): Promise<void> {
    await leases.leave();
    await client.end();
  }

  /** Lets every relay balance twice: first some release, then others acquire. */
  async function balance(): Promise<number[]> {
    for (let round = 0; round < 2; round++) {
      time += 10_000;
      for (const { leases } of members) await leases.balance(time);
    }
    return members.map(({ leases }) => leases.shards.length);
  }

  const all = () => members.flatMap(({ leases }) => leases.shards).sort((a, b) => a - b);
  const everyShard = Array.from({ length: SHARDS }, (_, shard) => shard);

  it('hold each shard once, about as many each, and those of who left', async () => {
    await join();
    expect(await balance()).toEqual([16]);
    await join();
    expect(await balance()).toEqual([8, 8]);
    expect(all()).toEqual(everyShard);
    await join();
    expect((await balance()).toSorted((a, b) => a - b)).toEqual([4, 6, 6]);
    expect(all()).toEqual(everyShard);
    await leave(members.shift()!);
    expect(await balance()).toEqual([8, 8]);
    expect(all()).toEqual(everyShard);
  });

  it('send those of a lost holder when nothing of it can arrive any more, also when the next one left early', async () => {
    await join();
    await balance();
    const lost = performance.now();
    await members.shift()!.client.end();
    await join();
    expect(await balance()).toEqual([0]);
    await leave(members.shift()!);
    await join();
    expect(await balance()).toEqual([0]);
    await waitFor(() => members[0]!.leases.shards.length === SHARDS);
    expect(performance.now() - lost).toBeGreaterThan(LANDING);
  });

  it('send those of one whose last sending was not answered as late, and their own wait, too', async () => {
    await join();
    await balance();
    const left = performance.now();
    await members[0]!.leases.leave(false);
    expect(await balance()).toEqual([0]);
    await waitFor(() => members[0]!.leases.shards.length === SHARDS);
    expect(performance.now() - left).toBeGreaterThan(LANDING - 100);
  });

  it('do not count those of another database', async () => {
    const other = await createOutbox();
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
