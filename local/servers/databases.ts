import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Client } from 'pg';

export interface Secrets {
  /** As in TOKEN_SECRET of users. */
  token: string;
  /** Password of every role in PostgreSQL by its name. */
  passwords: Record<string, string>;
}

/** Reads the secrets of this instance, which are made at its first start and which only this user may read. */
export function secretsIn(file: string, roles: string[]): Secrets {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets;
  const secrets = { token: random(), passwords: Object.fromEntries(roles.map((role) => [role, random()])) };
  writeFileSync(`${file}.unfinished`, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  renameSync(`${file}.unfinished`, file);
  return secrets;
}

function random(): string {
  return randomBytes(32).toString('base64url');
}

/** Makes for each name a role and a database that only it may enter, where they are missing. */
export async function createDatabases(
  server: string,
  passwords: Record<string, string>,
  names: string[],
): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    for (const name of names) {
      const role = client.escapeIdentifier(name);
      const password = client.escapeLiteral(passwords[name]!);
      if (!(await exists(client, 'pg_roles', 'rolname', name))) await client.query(`CREATE ROLE ${role} LOGIN`);
      await client.query(`ALTER ROLE ${role} PASSWORD ${password}`);
      if (!(await exists(client, 'pg_database', 'datname', name))) {
        await client.query(`CREATE DATABASE ${role} OWNER ${role}`);
      }
      await client.query(`REVOKE ALL ON DATABASE ${role} FROM PUBLIC`);
    }
  } finally {
    await client.end();
  }
}

async function exists(client: Client, table: string, column: string, name: string): Promise<boolean> {
  const { rowCount } = await client.query(`SELECT 1 FROM ${table} WHERE ${column} = $1`, [name]);
  return rowCount === 1;
}
