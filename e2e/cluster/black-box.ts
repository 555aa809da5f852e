import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { baseUrl, print, withMailbox } from './release.js';

/** Runs the black-box suite against the release, by `npm run test:e2e`, and expects it to pass. */
export async function passE2e(): Promise<void> {
  const answers = async () => (await fetch(`${baseUrl()}/.well-known/jwks.json`)).ok;
  await waitFor(answers, { timeout: 60_000, what: 'the ingress to know the services' });
  const [status, output] = await withMailbox(async (mailbox) => {
    const env = { ...process.env, BASE_URL: baseUrl(), MAILBOX_URL: mailbox };
    const jest = [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
    ];
    const child = spawn(process.execPath, [...jest, '-c', 'e2e/jest.config.js'], { env, stdio: 'pipe' });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += String(data)));
    const [code] = (await once(child, 'close')) as [number];
    return [code, text] as const;
  });
  print(`e2e: ${/^\d+ passed, .*$/m.exec(output)?.[0] ?? 'no result'}`);
  if (status !== 0) process.stdout.write(output.replaceAll(/^/gm, '  e2e │ '));
  expect(status).toBe(0);
}
