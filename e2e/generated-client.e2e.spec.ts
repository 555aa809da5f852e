import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { unique } from './people.js';
import { findTarget, type Target } from './target.js';

const project = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const node = promisify(execFile);

/** As in a user's own project: strict and independent. */
const compilerOptions = {
  module: 'nodenext',
  target: 'es2024',
  lib: ['es2024', 'dom', 'dom.iterable'],
  types: [],
  strict: true,
  skipLibCheck: false,
};

describe('a client made from the description of the API', () => {
  let target: Target;
  let dir: string;

  beforeAll(async () => {
    target = await findTarget();
    dir = mkdtempSync(join(tmpdir(), 'tasklane-client-'));
  }, 150_000);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it("compiles and runs README's tour", async () => {
    const description = await fetch(`${target.baseUrl}/api/v1/openapi.json`);
    writeFileSync(join(dir, 'openapi.json'), await description.text());
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['tour.ts', 'client'] }));
    copyFileSync(project('e2e/generated-client/tour.ts'), join(dir, 'tour.ts'));
    const run = (...args: string[]) =>
      node(process.execPath, args, { cwd: dir }).catch((error: { stdout: string; stderr: string }) => {
        throw new Error(`${args.join(' ')}: ${error.stdout}${error.stderr}`);
      });

    await run(
      project('node_modules/@hey-api/openapi-ts/bin/run.js'),
      '-i',
      'openapi.json',
      '-o',
      'client',
      '--no-log-file',
    );
    await run(project('node_modules/typescript7/bin/tsc'), '-p', '.');
    const { stdout } = await run('tour.js', target.baseUrl, `${unique('ada')}@example.com`);
    expect(JSON.parse(stdout)).toEqual({
      registered: [201, 'Ada'],
      created: ['Milk', 'Bread', 'Tea'],
      openItems: 3,
      page: [['Bread', 'Milk'], 'string'],
      taken: [409, ['Milk']],
      lost: [412, 2],
      active: true,
      refused: [401, 'token-missing'],
    });
  });
});
