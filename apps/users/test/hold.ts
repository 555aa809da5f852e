import { Client } from 'pg';
import { waitFor } from '#libs/testing';

/** A transaction that blocks the service. */
export interface Hold {
  /** Waits until so many others wait for its locks. */
  waiting: (count: number) => Promise<void>;
  /** Commits, which unblocks the others. */
  end: () => Promise<void>;
}

/** Runs `statement` on a connection of its own and keeps its locks. */
export async function hold(url: string, statement: string, values: unknown[] = []): Promise<Hold> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  await client.query('BEGIN');
  await client.query(statement, values);
  const blocked = 'SELECT count(*)::int AS n FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))';
  return {
    waiting: async (count) => {
      const enough = async () => {
        // Without this a transaction sees pg_stat_activity as it was when it first looked.
        await client.query('SELECT pg_stat_clear_snapshot()');
        return (await client.query<{ n: number }>(blocked, [rows[0]!.pid])).rows[0]!.n >= count;
      };
      await waitFor(enough, { what: `${count} that wait for the lock`, timeout: 45_000 });
    },
    end: async () => {
      await client.query('COMMIT');
      await client.end();
    },
  };
}
