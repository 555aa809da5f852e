import { execFile } from 'node:child_process';
import { watch } from 'node:fs';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An editor that saves by renaming, or a checkout, reports several changes in a row. */
const quietPeriod = 30;

export interface WatchOptions {
  /** Folder with apps/, libs/, tsconfig.json and node_modules/. */
  root: string;
  services: string[];
  /** Starts a service again with what is compiled now, after its migrations where some changed. */
  restart: (service: string, migrate: boolean) => Promise<void>;
  say: (who: string, what: string) => void;
}

/** Compiles what is saved and restarts the services that it concerns. Returns what ends that. */
export function watchSources({ root, services, restart, say }: WatchOptions): () => void {
  // A change that does not compile waits here for its correction.
  const saved = new Set<string>();
  let news = false;
  let working = false;

  const watchers = ['apps', 'libs'].map((folder) =>
    watch(join(root, folder), { recursive: true }, (_event, file) => {
      if (!file || !isSource(join(folder, file))) return;
      saved.add(join(folder, file));
      news = true;
      if (!working) void work();
    }),
  );

  async function work(): Promise<void> {
    for (working = true; news;) {
      const begun = performance.now();
      while (news) {
        news = false;
        await sleep(quietPeriod);
      }
      const files = [...saved];
      saved.clear();
      await bringUp(files, () => `${((performance.now() - begun) / 1000).toFixed(1)} s`);
    }
    working = false;
  }

  async function bringUp(files: string[], since: () => string): Promise<void> {
    const fault = await compile(root, files);
    if (fault) {
      for (const file of files) saved.add(file);
      return say('compiler', `the services run on as they are:\n${fault}`);
    }
    const restarts = affected(files, services).map(async (service) => {
      const migrate = files.some((file) => file.startsWith(`apps/${service}/src/migrations/`));
      await restart(service, migrate).then(
        () => say(service, `restarted after ${since()}: ${files.join(', ')} changed`),
        (error: Error) => say(service, `is down until the next change: ${error.message}`),
      );
    });
    await Promise.all(restarts);
  }
  return () => watchers.forEach((watcher) => watcher.close());
}

/** Not tests, nor what editors leave beside a file. */
function isSource(file: string): boolean {
  return /^(apps|libs)\/[^/]+\/src\/.*\.(ts|hbs|html|txt|proto)$/.test(file) && !file.endsWith('.spec.ts');
}

/** The services whose own file changed; all of them where it is a library's. */
function affected(files: string[], services: string[]): string[] {
  if (files.some((file) => file.startsWith('libs/'))) return services;
  return services.filter((service) => files.some((file) => file.startsWith(`apps/${service}/`)));
}

/** Brings dist/ up to date. Returns what is wrong, and then nothing was written. */
async function compile(root: string, files: string[]): Promise<string | undefined> {
  const compiler = ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.json', '--noEmitOnError', '--pretty', 'false'];
  try {
    await run(process.execPath, compiler, { cwd: root });
    const assets = files.some((file) => extname(file) !== '.ts');
    if (assets) await run(process.execPath, ['scripts/copy-assets.mjs'], { cwd: root });
    return undefined;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return `${stdout}${stderr}`.trim();
  }
}
