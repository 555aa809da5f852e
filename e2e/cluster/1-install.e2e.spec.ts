import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import {
  apply,
  baseUrl,
  components,
  fixed,
  helm,
  install,
  installed,
  isReady,
  kubectl,
  namespace,
  pods,
  print,
  release,
  since,
  upgrade,
  withMailbox,
} from './release.js';

const { GATEWAY } = process.env;
const restricted = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
};

describe('helm install without values', () => {
  afterAll(() => upgrade(fixed));

  it('is ready, in a namespace that enforces Pod Security "restricted"', async () => {
    await apply(restricted);
    const begun = Date.now();
    // Once more on a release that is there already: for those who repeat one of these suites.
    if (await installed()) await upgrade();
    else await install();
    print(`installed and ready after ${since(begun)}`);
    const { items } = JSON.parse(await kubectl('get', 'pods', '-o', 'json')) as {
      items: { status: { phase: string } }[];
    };
    expect(items.map(({ status }) => status.phase)).not.toContain('Failed');
    for (const component of components) {
      expect((await pods(component)).filter(isReady).length).toBeGreaterThanOrEqual(2);
    }
  });

  it('passes helm test', async () => {
    expect(await helm('test', release, '--timeout', '3m')).toMatch(/Phase:\s+Succeeded/);
  });

  it('passes the e2e suite through the Ingress', async () => {
    await e2e();
  });

  it('passes the e2e suite through the HTTPRoute', async () => {
    if (!GATEWAY) return print('skipped: GATEWAY (namespace/name) is not set');
    const [gatewayNamespace, name] = GATEWAY.split('/');
    await upgrade({
      ...fixed,
      'ingress.enabled': false,
      'httpRoute.enabled': true,
      'httpRoute.parentRefs[0].namespace': gatewayNamespace!,
      'httpRoute.parentRefs[0].name': name!,
    });
    await e2e();
  });

  /** What users of `npm run test:e2e` do. */
  async function e2e(): Promise<void> {
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
      const [code] = (await once(child, 'exit')) as [number];
      return [code, text] as const;
    });
    print(`e2e: ${/^\d+ passed, .*$/m.exec(output)?.[0] ?? 'no result'}`);
    if (status !== 0) process.stdout.write(output.replaceAll(/^/gm, '  e2e │ '));
    expect(status).toBe(0);
  }
});
