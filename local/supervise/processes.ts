import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { unwatch, watch } from './watchdog.js';

export interface ProcessOptions {
  name: string;
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  log: string;
  /** Asks this program to shut down. Default SIGTERM. */
  stopSignal?: 'SIGTERM' | 'SIGINT';
  /** Called as soon as it runs, long before it may be ready. */
  track?: Track;
}

export type Track = (server: ServerProcess) => void;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A running child in its own session: Ctrl-C in our terminal does not reach it, our unexpected death ends it. */
export interface ServerProcess {
  name: string;
  pid: number;
  exited: Promise<Exit>;
  readonly exit: Exit | undefined;
  kill(signal?: NodeJS.Signals): Promise<Exit>;
  /** Asks it to shut down, and kills it after `patience` milliseconds (10,000). */
  stop(patience?: number): Promise<Exit>;
}

export async function launch(options: ProcessOptions): Promise<ServerProcess> {
  const { name, command, args, stopSignal = 'SIGTERM' } = options;
  const log = openSync(options.log, 'a');
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    uid: options.uid,
    gid: options.gid,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new Error(`${name} does not start: ${error.message}`)));
  });
  const pid = child.pid!;
  watch(pid, stopSignal.slice(3));
  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      unwatch(pid);
      resolve((exit = { code, signal }));
    });
  });
  const send = (signal: NodeJS.Signals) => exit ?? child.kill(signal);
  const server: ServerProcess = {
    name,
    pid,
    exited,
    get exit() {
      return exit;
    },
    kill: (signal = 'SIGKILL') => {
      send(signal);
      return exited;
    },
    stop: async (patience = 10_000) => {
      const patient = new AbortController();
      const ended = exited.finally(() => patient.abort());
      send(stopSignal);
      await sleep(patience, undefined, { signal: patient.signal }).catch(() => {});
      if (!exit) send('SIGKILL');
      return ended;
    },
  };
  options.track?.(server);
  return server;
}

/**
 * When a process started, fit only for comparison; undefined when there is none. An id and this together
 * identify a process: ids are reused.
 */
export function startOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') {
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).trim();
    }
    // The second field, the program's name in brackets, may contain anything; a zombie (Z) has ended already.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function tail(file: string, lines = 15): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

/** Waits until `ready` answers true; throws when the process ends before or `patience` ms have passed. */
export async function untilReady(
  server: ServerProcess,
  log: string,
  ready: () => Promise<boolean>,
  patience = 180_000,
) {
  const end = Date.now() + patience;
  while (!(await ready())) {
    if (server.exit) throw new Error(`${server.name} ended while it started:\n${tail(log)}`);
    if (Date.now() > end) throw new Error(`${server.name} is not ready after ${patience / 1000} s:\n${tail(log)}`);
    await sleep(25);
  }
}
