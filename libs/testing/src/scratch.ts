import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOf } from '#local/supervise/processes.js';

const prefix = 'tasklane-test-';

/** Creates a directory for this run alone. The caller deletes it. */
export function scratchDirectory(purpose: string): string {
  const directory = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-${purpose}-`));
  // Under root PostgreSQL runs as another user, who must reach its data.
  chmodSync(directory, 0o711);
  return directory;
}

/** Deletes the directories of killed runs. */
export function sweepScratchDirectories(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : NaN;
    if (Number.isNaN(pid) || startOf(pid) !== undefined) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Another user's, or its server is just ending: the next run tries again.
    }
  }
}
