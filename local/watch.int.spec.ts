import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { scratchDirectory, waitFor } from '#libs/testing';
import { watchSources } from './watch.js';

const tsconfig = {
  compilerOptions: {
    module: 'nodenext',
    types: [],
    strict: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    rootDir: '.',
    outDir: 'dist',
    incremental: true,
    tsBuildInfoFile: 'dist/.tsbuildinfo',
  },
  include: ['apps', 'libs'],
};
const services = ['users', 'todos'];

describe('npm run dev', () => {
  const said: string[] = [];
  const restarted: [string, boolean, unknown][] = [];
  let root: string;
  let end: () => void;
  let broken: string | undefined;
  let duration = 0;

  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  /** What a service that starts now would run. */
  const compiled = (service: string) =>
    /"(.*)"/.exec(readFileSync(join(root, `dist/apps/${service}/src/answer.js`), 'utf8'))?.[1];

  beforeAll(() => {
    root = scratchDirectory('watch');
    write('tsconfig.json', JSON.stringify(tsconfig));
    write('package.json', '{"type":"module"}');
    write('libs/http/src/index.ts', 'export const word = "a";');
    write(
      'apps/todos/src/reader.ts',
      'import { word } from "../../../libs/http/src/index.js"; export const text = word;',
    );
    for (const service of services) write(`apps/${service}/src/answer.ts`, 'export const answer: string = "one";');
    write('apps/todos/src/migrations/0-begin.ts', 'export const up = 0;');
    symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
    execFileSync(process.execPath, ['node_modules/typescript7/bin/tsc', '-p', root]);
    const restart = async (service: string, migrate: boolean) => {
      if (service === broken) throw new Error('it threw');
      restarted.push([service, migrate, compiled(service)]);
      await sleep(duration);
    };
    end = watchSources({ root, services, restart, say: (who, what) => void said.push(`${who} ${what}`) });
  });
  afterEach(() => {
    said.length = restarted.length = 0;
  });
  afterAll(() => {
    end();
    rmSync(root, { recursive: true });
  });

  it('restarts the service whose file was saved, with what it says now, and tells the time', async () => {
    write('apps/users/src/answer.ts', 'export const answer: string = "two";');
    await waitFor(() => said.length > 0, { what: 'the restart' });
    expect(restarted).toEqual([['users', false, 'two']]);
    expect(said).toEqual([
      expect.stringMatching(/^users restarted after \d+\.\d s: apps\/users\/src\/answer\.ts changed$/),
    ]);
  });

  it('reports a syntax error and lets the service run; once it is corrected the service restarts', async () => {
    write('apps/users/src/answer.ts', 'export const answer: string = "three');
    await waitFor(() => said.length === 2, { what: 'the report' });
    expect(said[0]).toMatch(
      /^compiler apps\/users\/src\/answer\.ts\(1,\d+\): error TS1002: Unterminated string literal\.$/,
    );
    expect([restarted, compiled('users')]).toEqual([[], 'two']);
    write('apps/users/src/answer.ts', 'export const answer: string = "two";');
    await waitFor(() => said.length === 3, { what: 'the restart' });
    expect(restarted).toEqual([['users', false, 'two']]);
  });

  it('restarts with a wrong type and then reports it, also where another file has it', async () => {
    const lastSaid = () => said.at(-1) ?? '';
    write('libs/http/src/index.ts', 'export const word: string = 1 + 1;');
    await waitFor(() => lastSaid().startsWith('compiler'), { what: 'the report' });
    expect(restarted.map(([service]) => service).toSorted()).toEqual(['todos', 'users']);
    expect(lastSaid()).toMatch(/^compiler libs\/http\/src\/index\.ts\(1,14\): error TS2322: /);
    write('libs/http/src/index.ts', 'export const words = ["a"];');
    await waitFor(() => lastSaid().startsWith('compiler apps'), { what: 'the report' });
    expect(lastSaid()).toMatch(/^compiler apps\/todos\/src\/reader\.ts\(1,10\): error TS\d+: .*word/);
    said.length = 0;
    write('libs/http/src/index.ts', 'export const word = "a";');
    await waitFor(() => said.length === 2, { what: 'the restarts' });
  });

  it('restarts all services for a library, one with its new migration, and none for a test', async () => {
    write('apps/todos/src/answer.spec.ts', 'export {};');
    write('apps/todos/src/migrations/1-create.ts', 'export const up = 1;');
    write('libs/http/src/index.ts', 'export const word = "b";');
    await waitFor(() => said.length === 2, { what: 'the restarts' });
    expect(restarted.toSorted()).toEqual([
      ['todos', true, 'one'],
      ['users', false, 'two'],
    ]);
    expect(said.join()).not.toContain('spec');
  });

  it('says that a service does not start, and tries again at the next change', async () => {
    broken = 'todos';
    write('apps/todos/src/answer.ts', 'export const answer: string = "bad";');
    await waitFor(() => said.includes('todos is down until the next change: it threw'), { what: 'the report' });
    broken = undefined;
    write('apps/todos/src/answer.ts', 'export const answer: string = "good";');
    await waitFor(() => restarted.at(-1)?.[2] === 'good' && said.length === 2, { what: 'the restart' });
  });

  it('misses nothing that is saved while it works', async () => {
    duration = 150;
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) {
      write('apps/users/src/answer.ts', `export const answer: string = "${n}";`);
      await sleep(60);
    }
    await waitFor(() => restarted.at(-1)?.[2] === '8', { what: 'the last restart' });
  });

  it('keeps the types by which Nest injects', async () => {
    write('apps/users/src/clock.ts', 'export class Clock {}');
    const alarm = `import { Clock } from './clock.js';
      const part = (_part: unknown) => {};
      @part export class Alarm { constructor(readonly clock: Clock) {} }`;
    write('apps/users/src/alarm.ts', alarm);
    await waitFor(() => said.join().includes('alarm.ts'), { what: 'the restart' });
    const output = readFileSync(join(root, 'dist/apps/users/src/alarm.js'), 'utf8');
    expect(output).toContain("import { Clock } from './clock.js';");
    expect(output).toMatch(/__metadata\("design:paramtypes", \[.*\bClock\b.*\]\)/);
  });
});
