// node scripts/try-new-service.mjs: generates a service in a copy of the tree, as CONTRIBUTING.md says, and verifies it without any
// other edit: checks, its test, its route at the edge, the chart (with helm on the PATH). Ends with "N passed, N failed".
import { execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { copyTree } from './tree-copy.mjs';

const { root, remove } = copyTree();
const counts = { passed: 0, failed: 0 };
const base = randomInt(10_000, 25_000);
const env = {
  ...process.env,
  TASKLANE_PORT: String(base),
  TASKLANE_MAIL_PORT: String(base + 1000),
  npm_config_update_notifier: 'false',
};

/** Runs a program in the copy. */
async function run(program, ...args) {
  const running = promisify(execFile)(program, args, { cwd: root, env, maxBuffer: 1 << 26 });
  return running.then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr, stderr }),
    ({ code, stdout, stderr }) => ({ code, output: stdout + stderr, stderr }),
  );
}

/** Counts a claim; prints what was seen where it does not hold. */
function claim(what, holds, seen) {
  counts[holds ? 'passed' : 'failed']++;
  console.log(`${holds ? 'ok    ' : 'FAILED'}  ${what}`);
  if (!holds) console.log(typeof seen === 'string' ? seen : JSON.stringify(seen, null, 2));
}

const changed = async () => (await run('git', 'status', '--porcelain')).output.split('\n').filter(Boolean).toSorted();
/** Files that `npm run docs` and scripts/chart-readme.mjs generate. */
const generated = /docs\/|apps\/users\/src\/openapi\/|helm\/tasklane\/(README\.md|values\.schema\.json)$/;
const newService = (...args) => run('npm', 'run', '--silent', 'new:service', ...args);

async function badInput() {
  for (const name of ['users', 'Audit', '-audit', 'audit-', 'a.b', '../audit', 'audit-of-everything', '']) {
    const { code, stderr } = await newService('--', name);
    const sentence = stderr.trim().split('\n').length === 1 && stderr.includes(`"${name}"`);
    const nothing = (await changed()).length === 0;
    claim(`"${name}" is refused in one sentence, and nothing is written`, code === 1 && sentence && nothing, stderr);
  }
}

async function generation() {
  const { code, output } = await newService('audit');
  claim('npm run new:service audit', code === 0, output);
  const own = (await changed()).filter((line) => !generated.test(line));
  const expected = [' M helm/tasklane/values.yaml', ' M nest-cli.json', ' M skaffold.yaml', '?? apps/audit/'];
  claim(
    'one folder, one values entry, one Skaffold artifact, one project of Nest',
    String(own) === String(expected),
    own,
  );
  const { output: lines } = await run('git', 'diff', '--shortstat', 'helm/tasklane/values.yaml', 'skaffold.yaml');
  claim('four lines and seven, none removed', lines.trim() === '2 files changed, 11 insertions(+)', lines);
  const again = await newService('audit');
  claim('a second time it exists', again.code === 1 && /exists/.test(again.stderr), again.output);
}

async function start() {
  // A group of its own, so that all of it gets the signal, as from Ctrl-C.
  const starter = spawn('npm', ['start'], { cwd: root, env, detached: true });
  let output = '';
  for (const stream of [starter.stdout, starter.stderr]) stream.on('data', (data) => (output += String(data)));
  const ended = new Promise((resolve) => starter.once('close', resolve));
  for (let n = 0; n < 1200 && !output.includes('Tasklane is ready') && starter.exitCode === null; n++) await sleep(100);
  claim('npm start runs it', /^audit +serves$/m.test(output), output);
  try {
    const api = `http://127.0.0.1:${base}/api/v1`;
    const post = (path, body) =>
      fetch(api + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }).then((answer) => answer.json());
    const account = { email: 'ada@example.test', password: 'a password of nobody 7' };
    const { id } = await post('/users', { ...account, firstName: 'Ada', lastName: 'Lovelace' });
    const { accessToken } = await post('/auth/login', account);
    const answer = await fetch(`${api}/audit`, { headers: { authorization: `Bearer ${accessToken}` } });
    const body = await answer.text();
    claim('its route answers behind the edge', body === JSON.stringify({ service: 'audit', userId: id }), body);
    claim('and to nobody without a token', (await fetch(`${api}/audit`)).status === 401);
  } catch (error) {
    claim('its route answers behind the edge', false, `${error.message}\n${output}`);
  } finally {
    if (starter.exitCode === null) process.kill(-starter.pid, 'SIGINT');
    await ended;
  }
}

async function chart() {
  const version = await run('helm', 'version', '--short');
  if (version.code !== 0) return console.log('skipped  the chart: helm is not on the PATH');
  const { output } = await run(
    'helm',
    'template',
    'tasklane',
    'helm/tasklane',
    '--namespace',
    'tasklane',
    '--set',
    'secrets.generate=always',
  );
  const resources = output.split(/^---$/m);
  const named = (kind) =>
    resources.some((text) => text.includes(`kind: ${kind}\n`) && /name: tasklane-audit\b/.test(text));
  for (const kind of ['Deployment', 'Service', 'NetworkPolicy', 'Job'])
    claim(`the chart renders its ${kind}`, named(kind), output);
  const ingress = resources.find((text) => text.includes('kind: Ingress\n')) ?? '';
  claim('the Ingress has its route', ingress.includes('/api/v1/audit'), ingress);
  claim('it has a database', /postgres:\/\/audit:[^@]+@[^/]+\/audit/.test(output), output);
  const loop = await run('node', 'scripts/check-skaffold.mjs');
  claim('Skaffold builds, synchronizes and deploys it', loop.code === 0, loop.output);
  claim("the chart's README is up to date", (await run('node', 'scripts/chart-readme.mjs', '--check')).code === 0);
}

try {
  await badInput();
  const nest = ['node_modules/@nestjs/cli/bin/nest.js', 'generate', '-c', './scripts/new-service/collection.json'];
  const generator = await run(process.execPath, ...nest, 'service', 'audit', '--project', 'users', '--dry-run');
  claim(
    'nest generate runs the schematic',
    /CREATE.* apps\/audit\/src\/main\.ts/.test(generator.output),
    generator.output,
  );
  await generation();
  const check = await run('npm', 'run', 'check');
  claim('npm run check passes', check.code === 0, check.output);
  const test = await run('npm', 'test', '--', 'apps/audit');
  claim('its own tests pass', test.code === 0 && /2 passed, 0 failed/.test(test.output), test.output);
  await start();
  await chart();
} finally {
  remove();
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 ? 1 : 0;
