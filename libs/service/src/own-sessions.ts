import { Client } from 'pg';
import { connectionOptions, type DatabaseConfig } from './data-source.js';
import { SettingsError } from './settings.js';

const ROUNDS = 3;

/**
 * Refuses a pooler that runs each transaction in any free session (pgbouncer with `pool_mode = transaction`): session-level
 * locks, prepared statements and LISTEN would silently belong to another client or be lost.
 * @returns false when the database cannot be queried yet. @throws SettingsError
 */
export async function requireOwnSessions({ DATABASE_URL }: Pick<DatabaseConfig, 'DATABASE_URL'>): Promise<boolean> {
  const clients = [0, 1].map(() => new Client({ connectionString: DATABASE_URL, ...connectionOptions }));
  const seen = clients.map(() => new Set<number>());
  try {
    await Promise.all(clients.map((client) => client.on('error', () => undefined).connect()));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, client] of clients.entries()) {
        const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        seen[index]!.add(rows[0]!.pid);
      }
    }
  } catch {
    // An unreachable database is not an error of the settings; the code that waits for it logs it.
    return false;
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
  const [first, second] = seen;
  if (first!.size === 1 && second!.size === 1 && new Set([...first!, ...second!]).size === 2) return true;
  throw new SettingsError([
    'DATABASE_URL: a pooler in transaction or statement mode answers there (pg_backend_pid() differs within a connection or is shared by two), and locks of a session would be lost; use the address of PostgreSQL itself, or pool_mode = session',
  ]);
}
