import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemDirectory, waitFor } from '#libs/testing';
import { projectRoot } from '#local/servers/layout.js';
import { alone } from '#local/supervise/lock.js';

/** The system under test: any running Tasklane, known by its addresses alone. */
export interface Target {
  /** The API's address, without a trailing slash. */
  baseUrl: string;
  /** The mailbox, which speaks Mailpit's API. */
  mailboxUrl: string;
  /** An account with the role admin. Without it only the refusals of admin routes are tested. */
  admin?: { email: string; password: string };
  /** Brokers (host:port, comma separated), where the tests may speak with Kafka, too. */
  brokers?: string;
  /** True for a system that this run has started for itself. */
  own: boolean;
}

const password = 'a password for tests 1';

/**
 * The system named by BASE_URL and MAILBOX_URL (and, if wanted, ADMIN_EMAIL, ADMIN_PASSWORD and KAFKA_BROKERS); when
 * they are unset, one that the whole run shares: the first call starts it on free ports, and it ends with the run.
 */
export async function findTarget(): Promise<Target> {
  const { BASE_URL, MAILBOX_URL, ADMIN_EMAIL, ADMIN_PASSWORD, KAFKA_BROKERS } = process.env;
  if (!BASE_URL) return shared();
  if (!MAILBOX_URL) throw new Error('BASE_URL is set, but MAILBOX_URL is not: the tests read mails, too');
  return {
    baseUrl: BASE_URL.replace(/\/+$/, ''),
    mailboxUrl: MAILBOX_URL.replace(/\/+$/, ''),
    admin: ADMIN_EMAIL ? { email: ADMIN_EMAIL, password: ADMIN_PASSWORD ?? password } : undefined,
    brokers: KAFKA_BROKERS,
    own: false,
  };
}

async function shared(): Promise<Target> {
  // Jest's workers are its children; with one file to run there are none, and this process is Jest.
  const run = process.send ? process.ppid : process.pid;
  const dir = systemDirectory(run);
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const file = join(dir, 'target.json');
  await alone(join(dir, 'starting'), async () => {
    if (existsSync(file)) return;
    const { NODE_ENV: _test, JEST_WORKER_ID: _worker, ...env } = process.env;
    const serve = fileURLToPath(new URL('dist/e2e/serve.js', projectRoot));
    const quiet = '--disable-warning=TimeoutNegativeWarning';
    const child = spawn(process.execPath, [quiet, serve, String(run), dir, password], {
      env,
      detached: true,
      // Not our own stderr: that is a pipe to Jest, which would wait for its end while this process waits for Jest's.
      stdio: ['ignore', 'ignore', openSync(join(dir, 'serve.log'), 'a')],
    });
    await waitFor(() => existsSync(file) || ended(child), { timeout: 120_000, what: 'a system to test' });
    child.unref();
  });
  return JSON.parse(readFileSync(file, 'utf8')) as Target;
}

function ended({ exitCode }: ChildProcess): false {
  if (exitCode === null) return false;
  throw new Error(`the system to test did not start (exit code ${exitCode}), see serve.log in its directory`);
}
