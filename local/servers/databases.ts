import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { Client } from 'pg';
import { replaceFile } from '../supervise/replace-file.js';
import type { Declaration } from './declarations.js';

export interface Secrets {
  /** Passwords by PostgreSQL role. */
  passwords: Record<string, string>;
  services: Record<string, Record<string, string>>;
}

/**
 * Reads the secrets of this instance (mode 0600) and generates those that are missing: all of them at
 * the first start, and those of a new service.
 */
export function secretsIn(file: string, services: Pick<Declaration, 'name' | 'secrets'>[]): Secrets {
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>) : {};
  const secrets: Secrets = {
    passwords: filled(kept.passwords, ['postgres', ...services.map(({ name }) => name)]),
    services: { ...kept.services },
  };
  for (const { name, secrets: own } of services) {
    secrets.services[name] = filled(kept.services?.[name], Object.keys(own));
  }
  replaceFile(file, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  return secrets;
}

function filled(kept: Record<string, string> = {}, names: string[]): Record<string, string> {
  return { ...Object.fromEntries(names.map((name) => [name, random()])), ...kept };
}

function random(): string {
  return randomBytes(32).toString('base64url');
}

/** Creates, where missing, a role per name and a database that only this role may connect to. */
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
