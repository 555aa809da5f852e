import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { serviceNames } from '../../scripts/services.js';

const wrong = { DATABASE_URL: 'mysql://x', PORT: 'eighty', KAFKA_BROKERS: '', LOG_LEVEL: 'loud', DRAIN_DELAY: 'soon' };

/** Runs a service as in a pod, with only these environment variables. */
function start(service: string, env: Record<string, string>): Promise<{ code: unknown; output: string }> {
  const main = fileURLToPath(new URL(`../../dist/apps/${service}/src/main.js`, import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [main], { env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error?.code, output: stdout + stderr }),
    );
  });
}

describe.each(serviceNames)('%s with wrong settings', (service) => {
  it('says all that is wrong in one message, and exits 78', async () => {
    const { code, output } = await start(service, wrong);
    expect(code).toBe(78);
    for (const name of Object.keys(wrong)) expect(output).toContain(name);
    expect(output).not.toMatch(/\n\s+at /);
  });
});
