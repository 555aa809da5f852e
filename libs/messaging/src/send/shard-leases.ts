import type { Client } from 'pg';
import { FENCE } from '../kafka/topics.js';

/** The outbox is split by hash of the key; a shard is sent by one relay at a time. More shards than any deployment has replicas. */
export const SHARDS = 16;

// First key of the advisory locks of this library ("task" in ASCII); the second key is a shard, or MEMBERS.
const CLASS = 0x7461736b;
const MEMBERS = SHARDS;
const BALANCE_EVERY = 1000;
/** Far less than brokers allow, and more than the time between two balances. */
const STAMP_FOR = 1500;
/** How long after the end of a lease something sent under it may still reach a topic. */
const LANDING = FENCE.before + FENCE.after;

const TIME = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::text AS time';

/** Selects how long the former holder's events may still arrive: the maximum if it did not release the shard. */
const TAKE = `
  WITH former AS (
    SELECT coalesce(extract(epoch FROM free_at - clock_timestamp()) * 1000, ${LANDING}) AS wait
      FROM relay_leases WHERE shard = $1)
  INSERT INTO relay_leases (shard) VALUES ($1) ON CONFLICT (shard) DO UPDATE SET free_at = NULL
  RETURNING coalesce((SELECT wait FROM former), 0)::float8 AS wait`;

const GIVE_BACK = `
  UPDATE relay_leases SET free_at = clock_timestamp() + given.wait * interval '1 ms'
    FROM unnest($1::smallint[], $2::float8[]) AS given (shard, wait) WHERE relay_leases.shard = given.shard`;

/**
 * The shards that a relay holds, as session-level locks on its connection: when the process dies or the connection is lost,
 * PostgreSQL releases them and the other relays take over. Every relay also holds a shared lock by which they count each
 * other, and of m relays each wants ceil(16/m) shards.
 *
 * A holder that lost its session may not know. So every event carries a time at which the session was alive, brokers
 * refuse events older than the fence allows, and a relay that takes a shard that was not released waits that long first.
 */
export class ShardLeases {
  /** From when on each shard may be sent, by the monotonic clock. */
  private readonly held = new Map<number, number>();
  private nextBalance = 0;
  private alive = { time: '', until: -Infinity };

  private constructor(private readonly client: Client) {}

  static async join(client: Client): Promise<ShardLeases> {
    await client.query('SELECT pg_advisory_lock_shared($1, $2)', [CLASS, MEMBERS]);
    return new ShardLeases(client);
  }

  get shards(): number[] {
    const now = performance.now();
    return [...this.held].filter(([, from]) => from <= now).map(([shard]) => shard);
  }

  get waiting(): boolean {
    return this.shards.length < this.held.size;
  }

  /** A time at which this session held its shards, by the clock of PostgreSQL, in milliseconds since 1970. */
  async stamp(): Promise<string> {
    const asked = performance.now();
    if (asked > this.alive.until) {
      const { rows } = await this.client.query<{ time: string }>(`SELECT ${TIME}`);
      this.alive = { time: rows[0]!.time, until: asked + STAMP_FOR };
    }
    return this.alive.time;
  }

  /** Releases surplus shards and takes free ones, about once a second. Only between batches: see Relay. */
  async balance(now = performance.now()): Promise<void> {
    if (now < this.nextBalance) return;
    const { rows } = await this.client.query<{ members: number; taken: number[]; time: string }>(
      `SELECT count(*) FILTER (WHERE objid = $2)::int AS members,
              coalesce(array_agg(objid::int) FILTER (WHERE objid <> $2), '{}') AS taken, ${TIME}
         FROM pg_locks
        WHERE locktype = 'advisory' AND classid = $1 AND objsubid = 2 AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      [CLASS, MEMBERS],
    );
    const { members, taken, time } = rows[0]!;
    this.alive = { time, until: now + STAMP_FOR };
    const fair = Math.ceil(SHARDS / Math.max(members, 1));
    await this.release([...this.held.keys()].slice(0, Math.max(this.held.size - fair, 0)));
    await this.take(fair - this.held.size, new Set(taken));
    // Jitter, so that relays that started together do not compete for the same shards for ever.
    this.nextBalance = now + BALANCE_EVERY * (0.75 + Math.random() / 2);
  }

  /** Releases all shards. @param landed false when something that was sent may still be in transit. */
  async leave(landed = true): Promise<void> {
    await this.release([...this.held.keys()], landed ? 0 : LANDING);
  }

  private async release(shards: number[], landing = 0): Promise<void> {
    if (shards.length === 0) return;
    const now = performance.now();
    // The next holder must wait for what remains of this one's own wait.
    const waits = shards.map((shard) => Math.max(this.held.get(shard)! - now, landing, 0));
    await this.client.query(GIVE_BACK, [shards, waits]);
    await this.client.query('SELECT pg_advisory_unlock($1, shard) FROM unnest($2::int[]) AS shard', [CLASS, shards]);
    for (const shard of shards) this.held.delete(shard);
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
      const { rows: former } = await this.client.query<{ wait: number }>(TAKE, [shard]);
      this.held.set(shard, performance.now() + former[0]!.wait);
      count--;
    }
  }
}
