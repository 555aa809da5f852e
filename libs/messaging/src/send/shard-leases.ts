import type { Client } from 'pg';

/** The outbox is split by hash of the key; a shard is sent by one relay at a time. More shards than anyone has replicas. */
export const SHARDS = 16;

// First key of the advisory locks of this library ("task" in ASCII); the second key is a shard, or MEMBERS.
const CLASS = 0x7461736b;
const MEMBERS = SHARDS;
const BALANCE_EVERY = 1000;

/**
 * The shards that a relay holds, as session locks on its connection: when the process dies or the connection is lost,
 * PostgreSQL frees them and the other relays take over. Every relay also holds a shared lock by which they count each
 * other, and of m relays each wants ceil(16/m) shards.
 */
export class ShardLeases {
  private readonly held = new Set<number>();
  private nextBalance = 0;

  private constructor(private readonly client: Client) {}

  static async join(client: Client): Promise<ShardLeases> {
    await client.query('SELECT pg_advisory_lock_shared($1, $2)', [CLASS, MEMBERS]);
    return new ShardLeases(client);
  }

  get shards(): number[] {
    return [...this.held];
  }

  /** Gives back what is too much and takes what is free, about once a second. Only between batches: see Relay. */
  async balance(now = performance.now()): Promise<void> {
    if (now < this.nextBalance) return;
    const { rows } = await this.client.query<{ members: number; taken: number[] }>(
      `SELECT count(*) FILTER (WHERE objid = $2)::int AS members,
              coalesce(array_agg(objid::int) FILTER (WHERE objid <> $2), '{}') AS taken
         FROM pg_locks
        WHERE locktype = 'advisory' AND classid = $1 AND objsubid = 2 AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      [CLASS, MEMBERS],
    );
    const { members, taken } = rows[0]!;
    const fair = Math.ceil(SHARDS / Math.max(members, 1));
    await this.release(this.held.size - fair);
    await this.take(fair - this.held.size, new Set(taken));
    // Jitter, so that relays that started together do not reach for the same shards for ever.
    this.nextBalance = now + BALANCE_EVERY * (0.75 + Math.random() / 2);
  }

  private async release(count: number): Promise<void> {
    for (const shard of this.shards.slice(0, Math.max(count, 0))) {
      await this.client.query('SELECT pg_advisory_unlock($1, $2)', [CLASS, shard]);
      this.held.delete(shard);
    }
  }

  private async take(count: number, taken: ReadonlySet<number>): Promise<void> {
    const free = Array.from({ length: SHARDS }, (_, shard) => shard).filter((shard) => !taken.has(shard));
    for (const shard of free) {
      if (count <= 0) return;
      const { rows } = await this.client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS locked', [
        CLASS,
        shard,
      ]);
      if (!rows[0]?.locked) continue;
      this.held.add(shard);
      count--;
    }
  }
}
