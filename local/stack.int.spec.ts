import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MailboxClient, query, scratchDirectory, testKafka, waitFor } from '#libs/testing';
import { declarations } from './servers/declarations.js';
import { layoutOf, projectRoot } from './servers/layout.js';
import { type Holder, identify, isRunning, lock } from './supervise/lock.js';
import { freePort } from './supervise/ports.js';
import { startOf } from './supervise/processes.js';
import { type Stack, startStack } from './stack.js';

/** A quick substitute for the services, which reports how it was started. */
const standIn = `
import { createServer } from 'node:http';
const { PORT, DATABASE_URL } = process.env;
if (process.argv[2] === 'migrate') process.exit(process.env.FAIL_MIGRATION ? 3 : 0);
console.log('started');
createServer((request, response) => {
  response.end(request.url === '/readyz' ? 'ok' : JSON.stringify({ pid: process.pid, env: process.env }));
}).listen(Number(PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;

let root: string;
let apps: string;
let dir: string;
let ports: { port: number; mailPort: number };
beforeAll(() => {
  root = scratchDirectory('stack');
  apps = join(root, 'apps');
  for (const { name } of declarations) {
    mkdirSync(join(apps, name, 'src'), { recursive: true });
    writeFileSync(join(apps, name, 'src', 'main.js'), standIn);
  }
  writeFileSync(join(apps, 'package.json'), '{"type":"module"}');
});
beforeEach(async () => {
  dir = mkdtempSync(join(root, 'dir-'));
  ports = { port: await freePort(), mailPort: await freePort() };
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const options = (env: NodeJS.ProcessEnv = {}) => ({
  dir,
  ...ports,
  apps,
  env: { ...process.env, KAFKA_BROKERS: testKafka().brokers, ...env },
});

async function run(script: string, args: string[] = []): Promise<{ code: number; output: string }> {
  const env = {
    ...process.env,
    TASKLANE_DIR: dir,
    TASKLANE_PORT: String(ports.port),
    TASKLANE_MAIL_PORT: String(ports.mailPort),
  };
  const path = fileURLToPath(new URL(`dist/local/${script}.js`, projectRoot));
  const child = spawn(process.execPath, [path, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(child, 'exit');
  const output = (await Promise.all([text(child.stdout), text(child.stderr)])).join('');
  return { code: (await exit)[0] as number, output };
}

describe('a stack', () => {
  let stack: Stack | undefined;
  afterEach(async () => {
    await stack?.stop();
    stack = undefined;
  });

  const ask = async (path: string) =>
    (await (await fetch(stack!.url + path)).json()) as { pid: number; env: Record<string, string> };

  it('runs the services behind one address, each with its database and the settings of its surroundings', async () => {
    stack = await startStack(options({ LOG_LEVEL: 'debug' }));
    const users = (await ask('/api/v1/users')).env;
    const todos = (await ask('/api/v1/lists')).env;
    const notifications = (await ask('/api/v1/notifications')).env;
    expect(users).toMatchObject({
      TOKEN_SECRET: expect.stringMatching(/.{32}/),
      TRUSTED_HOPS: '1',
      LOG_LEVEL: 'debug',
    });
    expect(todos).toMatchObject({
      USERS_GRPC_URL: `127.0.0.1:${users.GRPC_PORT}`,
      NOTIFICATIONS_URL: `http://127.0.0.1:${notifications.PORT}`,
      PUBLIC_URL: stack.url,
    });
    expect(todos.JWKS_URL).toBe(`http://127.0.0.1:${users.PORT}/.well-known/jwks.json`);
    expect(todos.TOKEN_SECRET).toBeUndefined();
    expect(notifications.SMTP_URL).toMatch(/^smtp:\/\/127\.0\.0\.1:\d+$/);
    expect(await query(todos.DATABASE_URL!, 'SELECT current_user, current_database()')).toEqual([
      { current_user: 'todos', current_database: 'todos' },
    ]);
    const intruder = todos.DATABASE_URL!.replace(/todos$/, 'users');
    await expect(query(intruder, 'SELECT 1')).rejects.toThrow('permission denied');
    expect(await new MailboxClient(stack.mailboxUrl).list()).toEqual([]);
    expect(statSync(stack.layout.secrets).mode & 0o777).toBe(0o600);
  });

  it('keeps data and secrets until it is reset', async () => {
    stack = await startStack(options());
    const secret = (await ask('/api/v1/users')).env.TOKEN_SECRET;
    await query(stack.databaseUrl('users'), 'CREATE TABLE kept ()');
    await stack.stop();
    stack = await startStack(options());
    expect((await ask('/api/v1/users')).env.TOKEN_SECRET).toBe(secret);
    await query(stack.databaseUrl('users'), 'SELECT * FROM kept');
    expect(await run('reset', ['--yes'])).toMatchObject({ code: 1, output: expect.stringContaining('in use') });
    await stack.stop();

    writeFileSync(join(dir, 'mine.txt'), '');
    expect(await run('reset')).toMatchObject({ code: 1, output: expect.stringContaining('--yes') });
    expect(await run('reset', ['--yes'])).toMatchObject({ code: 0 });
    expect([existsSync(join(dir, 'postgres')), existsSync(join(dir, 'mine.txt'))]).toEqual([false, true]);
    stack = await startStack(options());
    expect((await ask('/api/v1/users')).env.TOKEN_SECRET).not.toBe(secret);
  });

  it('starts again what was killed, and leaves down what was stopped', async () => {
    stack = await startStack(options());
    const before = (await ask('/api/v1/users')).pid;
    await stack.unit('users').kill();
    expect((await fetch(`${stack.url}/api/v1/users`)).status).toBe(503);
    await stack.unit('users').ready();
    expect((await ask('/api/v1/users')).pid).not.toBe(before);

    await stack.unit('postgres').kill();
    await stack.unit('postgres').ready();
    await query(stack.databaseUrl('todos'), 'SELECT 1');

    await stack.unit('todos').stop(5000);
    expect((await fetch(`${stack.url}/api/v1/lists`)).status).toBe(503);
    expect(stack.unit('todos').pid).toBeUndefined();
    await stack.unit('todos').start();
    expect((await fetch(`${stack.url}/api/v1/lists`)).status).toBe(200);
  });

  it('ends all processes', async () => {
    stack = await startStack(options());
    const recorded = JSON.parse(readFileSync(stack.layout.processes, 'utf8')) as Holder[];
    expect(recorded.filter(isRunning)).toHaveLength(4);
    await stack.stop();
    expect(recorded.filter(isRunning)).toEqual([]);
    expect(existsSync(stack.layout.lock)).toBe(false);
  });

  it('takes commands beside it, as npm run grant-role, while it runs', async () => {
    const grant = () => run('users-command', ['grant-role', 'nobody@example.com', 'admin']);
    expect(await grant()).toMatchObject({ code: 1, output: expect.stringContaining('run npm start first') });
    stack = await startStack(options());
    expect(await run('users-command', ['migrate'])).toMatchObject({ code: 0 });
    expect(await grant()).toEqual({
      code: 1,
      output: 'no account has this address; register it first\n',
    });
    await stack.stop();
    expect((await grant()).output).toContain('run npm start first');
  });

  it('ends what it had started when a part does not start', async () => {
    await expect(startStack(options({ FAIL_MIGRATION: '1' }))).rejects.toThrow('migrate of users failed');
    expect(JSON.parse(readFileSync(layoutOf(dir).processes, 'utf8'))).toEqual([]);
  });
});

describe('npm start', () => {
  it('says who holds the directory and leaves', async () => {
    const release = lock(layoutOf(dir).lock, 'Tasklane at http://127.0.0.1:1234');
    const { code, output } = await run('start');
    release();
    expect(code).toBe(1);
    expect(output).toMatch(/in use: Tasklane at http:\/\/127\.0\.0\.1:1234, process \d+/);
  });

  it.each(['TASKLANE_PORT', 'TASKLANE_MAIL_PORT'])('says who holds the port of %s and leaves', async (setting) => {
    const port = setting === 'TASKLANE_PORT' ? ports.port : ports.mailPort;
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    const { code, output } = await run('start');
    server.close();
    expect(code).toBe(1);
    expect(output).toMatch(`Port ${port} is in use by process ${process.pid}`);
    expect(output).toMatch(setting);
  });

  it('names all wrong settings', async () => {
    ports = { port: 70_000, mailPort: 0.5 };
    const { code, output } = await run('start');
    expect([code, output.match(/must be a port/g)]).toEqual([1, ['must be a port', 'must be a port']]);
  });

  it('recovers after it was killed', async () => {
    const script = `
      import { startStack } from '${new URL('dist/local/stack.js', projectRoot).href}';
      const options = JSON.parse(process.argv[1]);
      await startStack({ ...options, env: { ...process.env, ...options.env } });
      console.log('ready');
    `;
    const { env, ...rest } = options();
    const argument = JSON.stringify({ ...rest, env: { KAFKA_BROKERS: env.KAFKA_BROKERS } });
    const starter = spawn(process.execPath, ['--input-type=module', '-e', script, argument], { stdio: 'pipe' });
    await once(starter.stdout, 'data');
    const left = JSON.parse(readFileSync(layoutOf(dir).processes, 'utf8')) as Holder[];
    starter.kill('SIGKILL');
    await once(starter, 'exit');
    // Its watchdog ends its children; one that the watchdog did not get is left to the next start.
    const forgotten = identify(spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).pid!)!;
    writeFileSync(layoutOf(dir).processes, JSON.stringify([...left, forgotten]));
    const stack = await startStack(options());
    expect([...left, forgotten].filter(isRunning)).toEqual([]);
    expect((await fetch(`${stack.url}/api/v1/users`)).status).toBe(200);
    await stack.stop();
  });
});

describe('a process that is watched', () => {
  it('ends with its parent, even one that was killed', async () => {
    const script = `
      import { launch } from '${new URL('dist/local/supervise/processes.js', projectRoot).href}';
      const child = await launch({ name: 'x', command: 'sleep', args: ['600'], log: '/dev/null' });
      console.log(child.pid);
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'pipe' });
    const pid = Number(String((await once(parent.stdout, 'data'))[0]));
    expect(identify(pid)).toBeDefined();
    parent.kill('SIGKILL');
    await waitFor(() => startOf(pid) === undefined, { what: 'the end of the child' });
  });
});
