// node bench/dev-loop.mjs [edits]: how long npm run dev takes from a save to the new answer, in a copy of the tree.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyTree } from '../scripts/tree-copy.mjs';

const edits = Number(process.argv[2] ?? 10);
const [port, mailPort] = [21_300, 21_925];
const file = 'apps/todos/src/lists/lists.controller.ts';
const documents = `http://127.0.0.1:${port}/api/v1/todos/openapi.json`;

const { root, remove } = copyTree();
const env = { ...process.env, TASKLANE_PORT: String(port), TASKLANE_MAIL_PORT: String(mailPort) };
// A group of its own, so that all of it gets the signal, as from Ctrl-C.
const dev = spawn('npm', ['run', 'dev'], { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
let output = '';
dev.stdout.on('data', (data) => (output += String(data)));
const ended = new Promise((resolve) => dev.once('close', resolve));
const ready = async () => {
  while (!output.includes('watches apps/')) {
    if (dev.exitCode !== null) throw new Error(`npm run dev ended:\n${output}`);
    await sleep(100);
  }
};
try {
  await ready();
  const original = readFileSync(join(root, file), 'utf8');
  const times = [];
  for (let n = 1; n <= edits; n++) {
    const word = `edit-${n}`;
    const begun = performance.now();
    writeFileSync(join(root, file), original.replace(/summary: '[^']*'/, `summary: '${word}'`));
    while (!(await documentation()).includes(word)) await sleep(10);
    times.push(performance.now() - begun);
    await sleep(500);
  }
  times.sort((a, b) => a - b);
  const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
  console.log(
    output
      .split('\n')
      .filter((line) => line.includes('restarted'))
      .join('\n'),
  );
  console.log(`${edits} edits: median ${seconds(times[Math.floor(edits / 2)])}, slowest ${seconds(times.at(-1))}`);
} finally {
  if (dev.exitCode === null) process.kill(-dev.pid, 'SIGINT');
  await ended;
  remove();
}

async function documentation() {
  const answer = await fetch(documents).catch(() => undefined);
  return (await answer?.text()) ?? '';
}
