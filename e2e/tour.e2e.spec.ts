import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { unique } from './people.js';
import { findTarget, type Target } from './target.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe("README's tour", () => {
  let target: Target;
  beforeAll(async () => {
    target = await findTarget();
  }, 150_000);

  it('works as it is written', async () => {
    const email = `${unique('ada')}@example.com`;
    const script = /<!-- tour -->\s+```sh\n([^]*?)```/
      .exec(readme)![1]!
      .replaceAll('http://127.0.0.1:3000', target.baseUrl)
      .replaceAll('http://127.0.0.1:8025', target.mailboxUrl)
      .replaceAll('ada@example.com', email);
    const { stdout } = await promisify(execFile)('sh', ['-c', `set -eu\n${script}`], { encoding: 'utf8' });
    const statuses = [...stdout.matchAll(/HTTP\/[\d.]+ (\d+)/g)].map(([, status]) => status);
    expect(statuses).toEqual(['201', '201', '409', '401']);
    const [registered, mails, ...rest] = stdout.split(/(?=\{"total"|HTTP\/)/);
    expect(registered).toContain('"firstName":"Ada"');
    expect(mails).toContain(email);
    expect(rest.join('')).toMatch(/"name":"Milk"[^]*"openItems":3[^]*"code":"item-name-taken"[^]*"active":true/);
  });
});
