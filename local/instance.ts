import { mkdirSync, renameSync, statSync } from 'node:fs';
import type { Layout } from './servers/layout.js';
import { HeldError, lock } from './supervise/lock.js';
import { holderOf } from './supervise/port-holder.js';
import { isFree } from './supervise/ports.js';

const largestLog = 10 << 20;

/** A directory or port that this instance needs is in use; the message names it and its holder. */
export class InTheWayError extends Error {}

/** Creates the directory and locks it for this process. Returns what releases it. @throws InTheWayError */
export function takeDirectory(layout: Layout, note: string): () => void {
  // Others may traverse it, as PostgreSQL must under its own user where we are root, but not list it.
  mkdirSync(layout.root, { recursive: true, mode: 0o711 });
  mkdirSync(layout.logs, { recursive: true, mode: 0o700 });
  try {
    return lock(layout.lock, note);
  } catch (error) {
    if (!(error instanceof HeldError)) throw error;
    const { pid, note: what } = error.holder;
    throw new InTheWayError(
      `${layout.root} is in use: ${what}, process ${pid}.\nStop that, or set TASKLANE_DIR, TASKLANE_PORT and TASKLANE_MAIL_PORT to run another beside it.`,
    );
  }
}

/** @throws InTheWayError, which names the listener, unless the port is free. */
export async function demandPort(port: number, setting: string): Promise<void> {
  if (await isFree(port)) return;
  const holder = holderOf(port) ?? 'another process';
  throw new InTheWayError(`Port ${port} is in use by ${holder}.\nStop that, or set ${setting} to another port.`);
}

export function rotate(log: string): void {
  const { size } = statSync(log, { throwIfNoEntry: false }) ?? { size: 0 };
  if (size > largestLog) renameSync(log, `${log}.1`);
}

/** Waits for all before it throws the first failure, so that nothing is still starting then. */
export async function settled(work: Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}
