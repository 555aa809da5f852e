import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOf } from './processes.js';

/** One process: ids alone are reused. */
export interface Identity {
  pid: number;
  startedAt: string;
}

export function identify(pid: number): Identity | undefined {
  const startedAt = startOf(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export function isRunning({ pid, startedAt }: Identity): boolean {
  return startOf(pid) === startedAt;
}

export interface Holder extends Identity {
  note: string;
}

export class HeldError extends Error {
  constructor(readonly holder: Holder) {
    super(`held by process ${holder.pid}`);
  }
}

/**
 * Takes the lock `file` for this process and writes `note` into it; a lock whose holder has died is taken over.
 * Returns what releases it. @throws HeldError with the holder's note.
 */
export function lock(file: string, note = ''): () => void {
  mkdirSync(dirname(file), { recursive: true });
  const own = `${file}.${randomUUID()}`;
  writeFileSync(own, JSON.stringify({ ...identify(process.pid), note }), { mode: 0o600 });
  try {
    while (!linked(own, file)) {
      const holder = read(file);
      if (holder && isRunning(holder)) throw new HeldError(holder);
      removeStale(file);
    }
  } finally {
    rmSync(own);
  }
  return () => rmSync(file, { force: true });
}

/** Atomic: a link appears with its content, or not at all where `file` exists. */
function linked(own: string, file: string): boolean {
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Another process may have taken over from the same dead holder first: what was moved away is checked again. */
function removeStale(file: string): void {
  const moved = `${file}.${randomUUID()}`;
  try {
    renameSync(file, moved);
  } catch {
    return;
  }
  const holder = read(moved);
  if (holder && isRunning(holder)) linked(moved, file);
  rmSync(moved);
}

/** Runs `work` while no other process on this machine does so under the same lock file. `waiting` is called once. */
export async function alone<T>(file: string, work: () => Promise<T>, waiting?: () => void): Promise<T> {
  for (let first = true; ; first = false) {
    let release: () => void;
    try {
      release = lock(file);
    } catch (error) {
      if (!(error instanceof HeldError)) throw error;
      if (first) waiting?.();
      await sleep(200);
      continue;
    }
    try {
      return await work();
    } finally {
      release();
    }
  }
}

function read(file: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Partial<Holder>;
    return holder.startedAt === undefined ? undefined : (holder as Holder);
  } catch {
    // It was released in this moment.
    return undefined;
  }
}
