import { type SpawnOptions, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { findAdmin, newPerson } from './people.js';
import { findTarget } from './target.js';

// npm run fuzz: schemathesis sends valid and invalid requests to every operation of the described API.
// No answer may be a 5xx, have an undescribed status or header, or a body outside its schema. Always the same
// requests; on a system of its own, or on the one at BASE_URL and MAILBOX_URL. The last line: "N passed, N failed".

const REQUIREMENTS = 'e2e/fuzz-requirements.txt';
const version = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
const venv = `node_modules/.cache/fuzz-${version}`;

const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'allow_header_conformance',
];

/** Operations that end their caller's access: every later answer would be a 401. */
const ends = ['deleteMe', 'logout'];

async function run(
  command: string,
  args: string[],
  options: SpawnOptions = {},
): Promise<{ code: number; out: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  const ended = new Promise<number>((done, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => done(code ?? 1));
  });
  const [code, out] = await Promise.all([ended, text(child.stdout!)]);
  return { code, out };
}

async function install(): Promise<void> {
  if (existsSync(`${venv}/bin/schemathesis`)) return;
  for (const [command, ...args] of [
    ['python3', '-m', 'venv', venv],
    [`${venv}/bin/pip`, 'install', '--quiet', '--disable-pip-version-check', '--requirement', REQUIREMENTS],
  ] as [string, ...string[]][]) {
    const { code, out } = await run(command, args);
    if (code === 0) continue;
    rmSync(venv, { recursive: true, force: true });
    throw new Error(`${out}\nthe fuzzer needs python3 with venv (on Debian: apt-get install python3-venv)`);
  }
}

async function fuzz(who: string, token: string, filter: string[]): Promise<{ passed: number; failed: number }> {
  process.stdout.write(`── as ${who}\n`);
  const args = ['--no-color', 'run', `${baseUrl}/api/v1/openapi.json`, '--url', baseUrl, ...filter];
  args.push('--header', `Authorization: Bearer ${token}`, '--checks', checks.join(','), '--warnings', 'off');
  args.push('--max-examples', '10', '--generation-deterministic', '--workers', '1', '--request-timeout', '30');
  const { code, out } = await run(resolve(venv, 'bin/schemathesis'), args, { cwd: venv, timeout: 300_000 });
  process.stdout.write(`${out}\n`);
  const [, generated = '0', found = '0'] = /(\d+) generated(?:, (\d+) found)?/.exec(out) ?? [];
  const failed = Number(found) || Number(code !== 0);
  return { passed: Number(generated) - Number(found), failed };
}

const without = (names: string[]) => names.flatMap((name) => ['--exclude-operation-id', name]);
const only = (names: string[]) => names.flatMap((name) => ['--include-operation-id', name]);

await install();
const target = await findTarget();
const { baseUrl } = target;
const [person, leaver, admin] = [await newPerson(target), await newPerson(target), await findAdmin(target)];
const results = [
  await fuzz('a person', person.tokens.accessToken, without(ends)),
  await fuzz('one who leaves', leaver.tokens.accessToken, only(ends)),
  ...(admin
    ? [
        await fuzz('an admin', admin.tokens.accessToken, [
          '--include-path-regex',
          '^/api/v1/users(/.id.)?$',
          ...without(['deleteUser']),
        ]),
      ]
    : []),
];
const sum = (what: 'passed' | 'failed') => results.reduce((total, result) => total + result[what], 0);
process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed\n`);
process.exitCode = sum('failed') > 0 ? 1 : 0;
