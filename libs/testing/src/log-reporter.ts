import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** What no log may hold: what the e2e suites send as secrets and addresses, and the forms of what the system hands out. */
const SECRETS: Record<string, RegExp> = {
  'an e-mail address': /[\w.+-]+@example\.(?:com|test)/i,
  'a password': /correct horse|a password for tests/,
  'a password hash': /\$argon2id?\$/,
  'an access token': /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\./,
  'a refresh token': /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.\d+\.[\w-]{43}/,
  'a device cookie': /\d{10}\.[\w-]{22}\.[\w-]{43}/,
  'a private key': /PRIVATE KEY-|"d":"[\w-]{43}"/,
  'the password of a database': /postgres(?:ql)?:\/\/[^\s:@/]+:[^\s@]+@/,
};

/** Every line in the files of a folder that holds one of them, as `users.log: an e-mail address: <the line>`. */
export function secretsIn(folder: string): string[] {
  return readdirSync(folder).flatMap((file) => {
    const lines = readFileSync(join(folder, file), 'utf8').split('\n');
    return lines.flatMap((line) =>
      Object.entries(SECRETS)
        .filter(([, secret]) => secret.test(line))
        .map(([what]) => `${basename(file)}: ${what}: ${line.slice(0, 500)}`),
    );
  });
}

/** Where the system lives that the e2e suites of one run share; `run` is the process id of its Jest. */
export const systemDirectory = (run: number) => join(tmpdir(), `tasklane-e2e-${run}`);

/** Fails a run whose e2e suites left a secret in a log of the system that they shared. */
export default class LogReporter {
  onRunComplete(_contexts: unknown, results: { numFailedTests: number; numPassedTests: number }): void {
    const logs = join(systemDirectory(process.pid), 'stack', 'log');
    if (!existsSync(logs)) return;
    const found = secretsIn(logs);
    if (found.length === 0) {
      results.numPassedTests += 1;
      return;
    }
    results.numFailedTests += 1;
    process.stdout.write(`● e2e › the logs hold secrets:\n${found.slice(0, 20).join('\n')}\n`);
  }
}
