import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isRunning } from '#local/supervise/lock.js';
import { freePort } from '#local/supervise/ports.js';
import { replaceFile } from '#local/supervise/replace-file.js';
import { startStack } from '#local/stack.js';
import { Client } from './client.js';
import { registration } from './people.js';
import type { Target } from './target.js';

// node dist/e2e/serve.js <pid> <dir> <password>: runs a system in <dir> for as long as the process <pid> runs.

const [pid, dir, password] = process.argv.slice(2) as [string, string, string];
const owner = identify(Number(pid));
const admin = { email: 'admin@example.test', password };

// Why a service does not start is in its log; a test run should show it.
const stack = await startStack({
  dir: join(dir, 'stack'),
  port: await freePort(),
  mailPort: await freePort(),
}).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});

await new Client(stack.url).post('/users', registration(admin));
await stack.command('users', ['grant-role', admin.email, 'admin']);

const target: Target = {
  baseUrl: stack.url,
  mailboxUrl: stack.mailboxUrl,
  brokers: stack.brokers,
  admin,
  own: true,
};
replaceFile(join(dir, 'target.json'), JSON.stringify(target));

for (;;) {
  await sleep(200);
  if (!owner || !isRunning(owner)) break;
}
await stack.stop();
rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
