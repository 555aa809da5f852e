import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { scratchDirectory } from '#libs/testing';
import { alone, HeldError, identify, isRunning, lock } from './lock.js';
import { endOrphans } from './orphans.js';

let dir: string;
beforeEach(() => {
  dir = scratchDirectory('lock');
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A process that ignores every signal but SIGKILL. */
async function stubborn() {
  const child = spawn('sh', ['-c', "trap '' TERM INT; echo; while :; do sleep 0.1; done"], { stdio: 'pipe' });
  await once(child.stdout, 'data');
  return { child, identity: identify(child.pid!)! };
}

describe('endOrphans', () => {
  it('ends what was recorded, by force if need be, and nobody who has such an id by chance', async () => {
    const file = join(dir, 'processes.json');
    const [orphan, stranger] = [await stubborn(), await stubborn()];
    const sameId = { ...stranger.identity, startedAt: '1' };
    writeFileSync(file, JSON.stringify([orphan.identity, sameId]));
    expect(await endOrphans(file)).toBe(1);
    expect([isRunning(orphan.identity), isRunning(stranger.identity)]).toEqual([false, true]);
    expect(existsSync(file)).toBe(false);
    stranger.child.kill('SIGKILL');
  });

  it('takes a missing or damaged record for an empty one', async () => {
    writeFileSync(join(dir, 'damaged'), '[{"pid":');
    expect(await endOrphans(join(dir, 'damaged'))).toBe(0);
    expect(await endOrphans(join(dir, 'missing'))).toBe(0);
  });
});

describe('lock', () => {
  it('is held once, says by whom, and can be had again', () => {
    const file = join(dir, 'lock');
    const release = lock(file, 'for a test');
    let error: unknown;
    try {
      lock(file);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(HeldError);
    expect((error as HeldError).holder).toEqual({ ...identify(process.pid), note: 'for a test' });
    release();
    lock(file)();
    expect(readdirSync(dir)).toEqual([]);
  });

  it.each([
    ['a dead process', { pid: 2 ** 22 + 1, startedAt: '1', note: '' }],
    ['an earlier process with our id', { pid: process.pid, startedAt: '1', note: '' }],
    ['nobody', {}],
  ])('is taken over from %s', (_holder, content) => {
    const file = join(dir, 'lock');
    writeFileSync(file, JSON.stringify(content));
    lock(file)();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('lets one at a time work', async () => {
    let working = 0;
    const most: number[] = [];
    const work = async () => {
      most.push(++working);
      await new Promise((resolve) => setTimeout(resolve, 5));
      working--;
    };
    await Promise.all([1, 2, 3].map(() => alone(join(dir, 'lock'), work)));
    expect(most).toEqual([1, 1, 1]);
  });
});
