import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { declarations } from './servers/declarations.js';
import { layoutOf, projectRoot } from './servers/layout.js';
import { localSettings } from './settings.js';
import { Stack } from './stack.js';

// npm start: runs everything until Ctrl-C. With --watch (npm run dev) it follows the sources, too.

const print = (line: string) => process.stdout.write(`${line}\n`);
// The reader of our output may disappear; that must not end us.
process.stdout.on('error', () => {});

async function main(): Promise<void> {
  const begun = Date.now();
  const settings = localSettings(process.env);
  const say = (who: string, what: string) => print(`${who.padEnd(14)} ${what}`);
  const stack = new Stack({ ...settings, say });
  const stop = endOnSignal(stack);
  try {
    await stack.start();
  } catch (error) {
    // Ctrl-C during the start is no failure.
    if (stop.requested) return;
    throw error;
  }
  print(`
Tasklane is ready (after ${((Date.now() - begun) / 1000).toFixed(1)} s).

  API       ${stack.url}
  API docs  ${stack.url}/api/v1/docs
  Mailbox   ${stack.mailboxUrl}
  Logs      ${relative('.', layoutOf(settings.dir).logs)}

Ctrl-C ends it; the data stays until "npm run reset".
`);
  if (!process.argv.includes('--watch')) return;
  // Loads a compiler, which npm start does without.
  const { watchSources } = await import('./watch.js');
  const services = declarations.map(({ name }) => name);
  const restart = (name: string, migrate: boolean) => stack.restart(name, migrate);
  watchSources({ root: fileURLToPath(projectRoot), services, restart, say });
  say('tasklane', 'watches apps/ and libs/');
}

function endOnSignal(stack: Stack): { requested: boolean } {
  const stop = { requested: false };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stop.requested) return;
      stop.requested = true;
      print('\nending…');
      void stack.stop().finally(() => process.exit(0));
    });
  }
  return stop;
}

main().catch((error: Error) => {
  process.stderr.write(`\n${error.message}\n`);
  process.exit(1);
});
