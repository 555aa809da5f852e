import { chmodSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { query, scratchDirectory } from '#libs/testing';
import { freePort } from '../supervise/ports.js';
import { type Postgres, startPostgres } from './postgres.js';

async function show(url: string, setting: string): Promise<unknown> {
  const [row] = await query<{ value: string }>(url, `SELECT current_setting($1) AS value`, [setting]);
  return row?.value;
}

describe('startPostgres', () => {
  let directory: string;
  let postgres: Postgres;
  beforeEach(() => {
    directory = scratchDirectory('postgres');
  });
  afterEach(async () => {
    await postgres.process.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const start = async (password?: string) => {
    const options = { data: join(directory, 'data'), port: await freePort(), log: join(directory, 'log') };
    postgres = await startPostgres({ ...options, password, fsync: false });
  };

  // Under root the server runs as another user, who may not enter such a directory.
  it.each([
    ['closed', 0o700],
    ['open', 0o711],
  ])('works in a directory that is %s to others', async (_name, mode) => {
    chmodSync(directory, mode);
    await start();
    expect(await show(postgres.url(), 'server_version_num')).toMatch(/^18/);
    expect(statSync(join(directory, 'data')).uid).not.toBe(0);
  });

  it('lets nobody in without the password, where one is set', async () => {
    await start('correct');
    expect(await show(postgres.url(), 'fsync')).toBe('off');
    await expect(show(postgres.url().replace('correct', 'wrong'), 'fsync')).rejects.toThrow('authentication failed');
  });
});
