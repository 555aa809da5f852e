import type { Client } from 'pg';

const RAISE_EVERY = 1000;

const LAST_ID = `SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('outbox', 'id')), 0)::text AS id`;

/** Transactions that may have drawn an id; statements lock a table before they do anything else. */
const WRITERS = `
  SELECT coalesce(array_agg(virtualtransaction), '{}') AS writers FROM pg_locks
   WHERE locktype = 'relation' AND relation = 'outbox'::regclass AND mode = 'RowExclusiveLock'
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

const FIRST_LEFT = `
  SELECT (id - 1)::text AS floor FROM outbox WHERE id > $1 AND id <= $2 AND shard = ANY($3::smallint[]) ORDER BY id LIMIT 1`;

/**
 * The id up to which a relay has sent everything and nothing can appear any more. Reads begin after it, instead of
 * stepping over the dead rows that an open snapshot, such as a backup's, keeps in the index.
 *
 * Ids become visible in the order of commits, so a high id says nothing about lower ones. But whoever draws an id holds
 * a lock on the table from before that until its transaction has ended and is visible. So an id is final, and all below
 * it are, when every transaction that held the lock after it was drawn has ended.
 */
export class OutboxFloor {
  private floor = 0n;
  private shards: ReadonlySet<number> = new Set();
  private drawn: { id: bigint; writers: ReadonlySet<string> } | undefined;
  private nextRaise = 0;

  constructor(private readonly client: Client) {}

  /** @returns the id after which the rows of these shards begin: it was found for the shards of the last raise, or for more. */
  below(shards: readonly number[]): string {
    return shards.every((shard) => this.shards.has(shard)) ? String(this.floor) : '0';
  }

  /** Raises the floor as far as it is certain, about once a second. */
  async raise(shards: readonly number[], now = performance.now()): Promise<void> {
    if (now < this.nextRaise || shards.length === 0) return;
    this.nextRaise = now + RAISE_EVERY;
    const { drawn } = this;
    if (drawn && !(await this.writers()).some((writer) => drawn.writers.has(writer))) {
      const { id } = drawn;
      const { rows } = await this.client.query<{ floor: string }>(FIRST_LEFT, [this.below(shards), String(id), shards]);
      this.floor = rows[0] ? BigInt(rows[0].floor) : id;
      this.shards = new Set(shards);
      this.drawn = undefined;
    }
    // Its id before its writers: one that begins in between has a higher id.
    this.drawn ??= { id: await this.lastId(), writers: new Set(await this.writers()) };
    // The table was emptied and counts from the beginning.
    if (this.drawn.id < this.floor) this.floor = 0n;
  }

  private async lastId(): Promise<bigint> {
    const { rows } = await this.client.query<{ id: string }>(LAST_ID);
    return BigInt(rows[0]!.id);
  }

  private async writers(): Promise<string[]> {
    const { rows } = await this.client.query<{ writers: string[] }>(WRITERS);
    return rows[0]!.writers;
  }
}
