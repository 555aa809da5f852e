import { spawnSync } from 'node:child_process';
import { program } from './servers/service.js';
import { localSettings } from './settings.js';
import { Stack } from './stack.js';

// npm run grant-role -- EMAIL ROLE, and others: runs a command of users on what npm start runs.

try {
  const stack = new Stack(localSettings(process.env));
  stack.attach();
  const { command, args, env } = program(stack.serviceOptions('users'), process.argv.slice(2));
  process.exitCode = spawnSync(command, args, { env, stdio: 'inherit' }).status ?? 1;
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
