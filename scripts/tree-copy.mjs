import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Copies the tree, uncommitted changes included, to a repository in a scratch directory. */
export function copyTree() {
  const root = mkdtempSync(join(tmpdir(), 'tasklane-tree-'));
  const git = (...args) => execFileSync('git', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  const files = git('ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate').split('\0');
  for (const file of files.filter(Boolean)) cpSync(file, join(root, file), { force: true });
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  const identity = ['-c', 'user.name=tasklane', '-c', 'user.email=tasklane@example.test'];
  git('-C', root, 'init', '--quiet');
  git('-C', root, 'add', '--all');
  git('-C', root, ...identity, 'commit', '--quiet', '--message', 'the tree');
  return { root, remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }) };
}
