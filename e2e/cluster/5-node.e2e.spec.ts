import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { waitFor } from '#libs/testing';
import {
  components,
  fixed,
  fullname,
  isReady,
  itWith,
  kubectl,
  type LoadReport,
  nodeBeside,
  nodeIsReady,
  pods,
  print,
  rolledOut,
  run,
  settled,
  since,
  underLoad,
  upgrade,
} from './release.js';

/** Commands that power a node off and on again, and its name. */
const { NODE_STOP, NODE_START, NODE_NAME } = process.env;

describe('the loss of a node', () => {
  beforeAll(async () => {
    if (!NODE_STOP) return;
    const other = await nodeBeside(NODE_NAME!);
    await moveDns();
    const selector = 'nodeSelector.kubernetes\\.io/hostname';
    await upgrade({
      ...fixed,
      [`postgresql.embedded.${selector}`]: other,
      [`kafka.embedded.${selector}`]: other,
    });
    if ((await spread()).some((nodes) => nodes < 2)) await restart();
  }, 400_000);
  afterAll(async () => {
    if (NODE_STOP) await upgrade(fixed);
  }, 400_000);

  /** Where the cluster's DNS has a single pod, that pod must survive: its loss is not under test. */
  const moveDns = async () => {
    await run('kubectl', ['cordon', NODE_NAME!]);
    const dns = ['pods', '-l', 'k8s-app=kube-dns'];
    await run('kubectl', ['-n', 'kube-system', 'delete', ...dns, '--field-selector', `spec.nodeName=${NODE_NAME}`]);
    await run('kubectl', ['-n', 'kube-system', 'wait', '--for=condition=Ready', ...dns, '--timeout=60s']);
    await run('kubectl', ['uncordon', NODE_NAME!]);
  };
  // One after the other: small nodes have no room for the surge pods of all services, and then pods do not spread.
  const restart = async () => {
    for (const name of components) {
      await kubectl('rollout', 'restart', `deployment/${fullname}-${name}`);
      await rolledOut([name]);
      await settled([name]);
    }
  };
  const shell = (command: string) => run('sh', ['-c', command]);
  const spread = async () => {
    const groups = await Promise.all(components.map(pods));
    return groups.map((group) => new Set(group.filter(isReady).map(({ spec }) => spec.nodeName)).size);
  };

  itWith(NODE_STOP, NODE_START, NODE_NAME)(
    'is got over within 10 s of its detection; afterwards pods spread again',
    async () => {
      expect(await spread()).toEqual([2, 2, 2]);
      let [stopped, detected] = [0, 0];
      const powerOff = async () => {
        await sleep(3000);
        stopped = Date.now();
        await shell(NODE_STOP!);
        await waitFor(async () => !(await nodeIsReady(NODE_NAME!)), {
          timeout: 90_000,
          interval: 200,
          what: 'the loss to be seen',
        });
        detected = Date.now();
        print(`declared lost after ${since(stopped)}`);
        await sleep(30_000);
      };
      let report: LoadReport;
      try {
        report = await underLoad(`${NODE_NAME} powered off`, powerOff);
      } finally {
        await shell(NODE_START!);
      }
      const last = report.failedUntil ?? stopped;
      const after = (time: number) => `${((last - time) / 1000).toFixed(1)} s after`;
      print(
        `${report.failed} of ${report.sent} requests failed, until ${after(stopped)} the loss, ${after(detected)} its detection`,
      );
      // How soon a loss is detected is the cluster's setting (node-monitor-grace-period), not ours.
      expect(last).toBeLessThan(detected + 10_000);

      await waitFor(() => nodeIsReady(NODE_NAME!), { timeout: 120_000, interval: 500, what: 'the node to be back' });
      const replaced = async () =>
        (await Promise.all(components.map(pods))).every((all) => all.filter(isReady).length >= 2);
      await waitFor(replaced, { timeout: 200_000, interval: 500, what: 'two pods of each service' });
      print(`nodes with ready pods of ${components.join(', ')} after its return: ${String(await spread())}`);
      // Kubernetes moves no running pod; the next rollout spreads them.
      const report2 = await underLoad('rollout after its return', restart);
      expect(report2).toMatchObject({ failed: 0 });
      expect(await spread()).toEqual([2, 2, 2]);
    },
    900_000,
  );
});
