import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Identity, identify, isRunning } from './lock.js';
import type { Track } from './processes.js';
import { replaceFile } from './replace-file.js';

/**
 * Keeps a list of the running children in `file`, in case this process dies without ending them.
 * Every child must be passed to the returned function.
 */
export function recordProcesses(file: string): Track {
  const running = new Map<number, Identity>();
  const write = () => {
    replaceFile(file, JSON.stringify([...running.values()]));
  };
  return (server) => {
    const identity = identify(server.pid);
    if (!identity || server.exit) return;
    running.set(server.pid, identity);
    write();
    void server.exited.then(() => {
      running.delete(server.pid);
      write();
    });
  };
}

export async function endOrphans(file: string): Promise<number> {
  const orphans = read(file).filter(isRunning);
  // PostgreSQL ends on SIGTERM only when its clients have left, on SIGINT at once.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
    for (const orphan of orphans.filter(isRunning)) process.kill(orphan.pid, signal);
    for (let n = 0; n < 40 && orphans.some(isRunning); n++) await sleep(50);
  }
  rmSync(file, { force: true });
  return orphans.length;
}

function read(file: string): Identity[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Identity[];
  } catch {
    return [];
  }
}
