import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { scratchDirectory } from '#libs/testing';

describe('npm run lint', () => {
  let tree: string;
  beforeEach(() => {
    tree = scratchDirectory('lint');
    for (const path of ['package.json', 'tsconfig.json', '.oxlintrc.json', 'apps', 'libs', 'local']) {
      cpSync(path, join(tree, path), { recursive: true });
    }
    symlinkSync(resolve('node_modules'), join(tree, 'node_modules'));
  });
  afterEach(() => rmSync(tree, { recursive: true }));

  /** oxlint's findings, a line each. Without types, which none of these rules needs. */
  const faults = async () => {
    const args = ['node_modules/oxlint/bin/oxlint', '--format=json', 'apps', 'libs', 'local'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: tree }).catch(
      (error: { stdout: string }) => error,
    );
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: Record<'filename' | 'message' | 'help', string>[] };
    return diagnostics.map(({ filename, message, help }) => `${filename}: ${message} ${help}`);
  };
  const add = (file: string, line: string) => appendFileSync(join(tree, file), `${line}\n`);

  it('passes the tree as it is, and a library that imports another', async () => {
    add('libs/service/src/version.ts', "export { Problem as Imported } from '#libs/http';");
    expect(await faults()).toEqual([]);
  });

  it('refuses a cycle between two libraries', async () => {
    add('libs/http/src/page.ts', "export { version } from '#libs/service';");
    expect(await faults()).toContainEqual(expect.stringMatching(/libs\/http\/src\/page\.ts.*cycle/));
  });

  it.each([
    ['apps/users/src/main.ts', '../../todos/src/service.js'],
    ['apps/users/src/accounts/accounts.schemas.ts', '../../../todos/src/service.js'],
    ['apps/users/test/users-fixture.ts', '../../todos/src/service.js'],
    ['apps/users/src/main.ts', '../../../libs/http/src/page.js'],
  ])('refuses in an app, in %s, what is not its own: %s', async (file, path) => {
    add(file, `export { todos } from '${path}';`);
    expect(await faults()).toContainEqual(expect.stringContaining('never another app'));
  });

  it.each(['../../../apps/todos/src/service.js', '../../auth/src/index.js'])(
    'refuses %s in a library',
    async (path) => {
      add('libs/http/src/page.ts', `export * from '${path}';`);
      expect(await faults()).toContainEqual(expect.stringContaining('libs know no app'));
    },
  );
});
