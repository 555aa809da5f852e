import { afterAll, describe, expect, it } from '@jest/globals';
import { passE2e } from './black-box.js';
import {
  apply,
  components,
  fixed,
  helm,
  install,
  installed,
  isReady,
  itWith,
  kubectl,
  namespace,
  pods,
  print,
  release,
  since,
  upgrade,
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
    // The release may exist already, when one of these suites is repeated.
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
    await passE2e();
  });

  itWith(GATEWAY)('passes the e2e suite through the HTTPRoute', async () => {
    const [gatewayNamespace, name] = GATEWAY!.split('/');
    await upgrade({
      ...fixed,
      'ingress.enabled': false,
      'httpRoute.enabled': true,
      'httpRoute.parentRefs[0].namespace': gatewayNamespace!,
      'httpRoute.parentRefs[0].name': name!,
    });
    await passE2e();
  });
});
