import { rmdirSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { takeDirectory } from './instance.js';
import { eraseKafkaInDocker } from './servers/kafka-source.js';
import { everythingIn, layoutOf } from './servers/layout.js';
import { endOrphans } from './supervise/orphans.js';
import { localSettings } from './settings.js';

// npm run reset: deletes the data of npm start, after asking.

async function main(): Promise<void> {
  const layout = layoutOf(localSettings(process.env).dir);
  const release = takeDirectory(layout, 'npm run reset');
  try {
    if (!process.argv.includes('--yes') && !(await confirmed(layout.root))) {
      process.stdout.write('Nothing was erased.\n');
      process.exitCode = 1;
      return;
    }
    await endOrphans(layout.processes);
    await eraseKafkaInDocker(layout.kafka);
    // By name: the directory may contain other files.
    for (const path of everythingIn(layout)) rmSync(path, { recursive: true, force: true });
  } finally {
    release();
  }
  removeIfEmpty(layout.root);
  process.stdout.write('Erased. The next "npm start" begins anew.\n');
  if (process.env.KAFKA_BROKERS) process.stdout.write('The topics of KAFKA_BROKERS are untouched.\n');
}

async function confirmed(root: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new Error('Nobody can be asked here: "npm run reset -- --yes" erases without asking.');
  const terminal = createInterface(process.stdin, process.stdout);
  const answer = await terminal.question(`Erase all accounts, lists and mails in ${root}? [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // It contains other files.
  }
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
