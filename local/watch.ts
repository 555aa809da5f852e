import { watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compileFiles, typeErrors } from './compile.js';

/** In milliseconds: an editor that saves by renaming, or a checkout, causes several events in a row. */
const quietPeriod = 30;

export interface WatchOptions {
  /** Folder with apps/, libs/, tsconfig.json, node_modules/ and what was built of them, dist/. */
  root: string;
  services: string[];
  /** Starts a service again with what is compiled now, after its migrations where some changed. */
  restart: (service: string, migrate: boolean) => Promise<void>;
  say: (who: string, what: string) => void;
}

/**
 * Compiles what is saved, restarts the services that it concerns, and checks the types once they serve: a type error stops no
 * service. Returns what ends that.
 */
export function watchSources({ root, services, restart, say }: WatchOptions): () => void {
  // A change that does not compile waits here for its correction.
  const saved = new Set<string>();
  let news = false;
  let working = false;
  let checking = new AbortController();

  const watchers = ['apps', 'libs'].map((folder) =>
    watch(join(root, folder), { recursive: true }, (_event, file) => {
      if (!file || !isSource(join(folder, file))) return;
      saved.add(join(folder, file));
      news = true;
      checking.abort();
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
      const since = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
      if ((await bringUp([...saved], since)) && !news) await check();
    }
    working = false;
  }

  async function bringUp(files: string[], since: () => string): Promise<boolean> {
    const errors = compileFiles(root, files);
    if (errors.length > 0) {
      for (const error of [...errors, 'the services run on as they are']) say('compiler', error);
      return false;
    }
    for (const file of files) saved.delete(file);
    const restarts = affected(files, services).map(async (service) => {
      const migrate = files.some((file) => file.startsWith(`apps/${service}/src/migrations/`));
      await restart(service, migrate).then(
        () => say(service, `restarted after ${since()}: ${files.join(', ')} changed`),
        (error: Error) => say(service, `is down until the next change: ${error.message}`),
      );
    });
    await Promise.all(restarts);
    return true;
  }

  async function check(): Promise<void> {
    checking = new AbortController();
    for (const error of await typeErrors(root, checking.signal)) say('compiler', error);
  }

  return () => {
    checking.abort();
    for (const watcher of watchers) watcher.close();
  };
}

function isSource(file: string): boolean {
  return /^(apps|libs)\/[^/]+\/src\/.*\.(ts|hbs|html|txt|proto)$/.test(file) && !file.endsWith('.spec.ts');
}

function affected(files: string[], services: string[]): string[] {
  if (files.some((file) => file.startsWith('libs/'))) return services;
  return services.filter((service) => files.some((file) => file.startsWith(`apps/${service}/`)));
}
