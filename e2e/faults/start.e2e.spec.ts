import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, waitFor } from '#libs/testing';
import { type Identity, isRunning } from '#local/supervise/lock.js';
import { isFree } from '#local/supervise/ports.js';
import { Client } from '../client.js';
import { logIn, newPerson, type Person } from '../people.js';

const program = fileURLToPath(new URL('../../dist/local/start.js', import.meta.url));

interface Start {
  child: ChildProcess;
  output: () => string;
  exit: Promise<number | null>;
}

describe('npm start with the real parts', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tasklane-start-'));
  let settings: { TASKLANE_DIR: string; TASKLANE_PORT: string; TASKLANE_MAIL_PORT: string };
  let first: Start;
  let person: Person;

  beforeAll(async () => {
    const [port, mailPort] = [await freePort(), await freePort()];
    settings = { TASKLANE_DIR: dir, TASKLANE_PORT: String(port), TASKLANE_MAIL_PORT: String(mailPort) };
    first = start();
    await ready(first);
  }, 150_000);
  afterAll(async () => {
    first?.child.kill('SIGINT');
    await first?.exit;
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }, 30_000);

  const start = (): Start => {
    const { NODE_ENV: _test, ...env } = process.env;
    const child = spawn(process.execPath, [program], {
      env: { ...env, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
    return { child, output: () => output, exit: once(child, 'exit').then(([code]) => code as number | null) };
  };
  const ready = ({ output, child }: Start) =>
    waitFor(() => output().includes('Tasklane is ready') || (child.exitCode !== null && 'ended'), {
      timeout: 120_000,
      what: 'npm start to be ready',
    });
  const url = () => `http://127.0.0.1:${settings.TASKLANE_PORT}`;
  const processes = () => JSON.parse(readFileSync(join(dir, 'processes.json'), 'utf8')) as Identity[];

  it('prints the addresses, and they answer', async () => {
    for (const [, address] of first.output().matchAll(/ (http:\S+)/g)) {
      expect({ address, status: (await fetch(address!)).status }).toEqual({ address, status: 200 });
    }
    expect(first.output()).toContain(`${url()}\n`);
    person = await newPerson({ baseUrl: url() });
  });

  it('a second one says what is in the way and exits 1; the first goes on', async () => {
    const second = start();
    expect(await second.exit).toBe(1);
    expect(second.output()).toMatch(`in use: Tasklane at ${url()}, process ${first.child.pid}`);
    expect((await person.api.get('/users/me')).status).toBe(200);
  });

  it('after a kill -9 of the starter the next one recovers by itself, with the data', async () => {
    const orphans = processes();
    expect(orphans.filter(isRunning).length).toBeGreaterThanOrEqual(4);
    first.child.kill('SIGKILL');
    await first.exit;
    first = start();
    await ready(first);
    expect(orphans.filter(isRunning)).toEqual([]);
    const { api } = await logIn(new Client(url()), person);
    expect((await api.get('/users/me')).body).toEqual(person.user);
  }, 150_000);

  it('Ctrl-C ends all processes within 10 s', async () => {
    const running = processes();
    const begun = performance.now();
    first.child.kill('SIGINT');
    expect(await first.exit).toBe(0);
    process.stdout.write(`Ctrl-C: all ended after ${Math.round(performance.now() - begun)} ms\n`);
    expect(running.filter(isRunning)).toEqual([]);
    for (const port of [settings.TASKLANE_PORT, settings.TASKLANE_MAIL_PORT])
      expect(await isFree(Number(port))).toBe(true);
  }, 30_000);
});
