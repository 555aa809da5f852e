import { beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import {
  components,
  fixed,
  fullname,
  helm,
  isReady,
  itWith,
  kubectl,
  pods,
  print,
  release,
  rolledOut,
  run,
  sql,
  underLoad,
  upgrade,
} from './release.js';
import { imageOf } from './sabotage.js';

const { NEXT_TAG } = process.env;
const calm = { failed: 0 };
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const deployments = components.map((name) => `deployment/${fullname}-${name}`);

// Two pods of each service under a constant load of reads and writes through the ingress.
describe('no request fails', () => {
  beforeAll(() => upgrade(fixed), 400_000);

  itWith(NEXT_TAG)('while helm upgrades to another image', async () => {
    const schema = async () => Number(await sql('todos', 'SELECT version FROM schema_version'));
    const before = await schema();
    expect(await underLoad('helm upgrade', () => upgrade({ ...fixed, 'image.tag': NEXT_TAG! }))).toMatchObject(calm);
    print(`schema of todos: ${before} → ${await schema()}`);
    for (const pod of (await pods('todos')).filter(isReady)) expect(await imageOf(pod)).toMatch(`:${NEXT_TAG}`);
  });

  it('while helm rolls back', async () => {
    const back = async () => {
      await helm('rollback', release, '--wait', '--timeout', '6m');
      await rolledOut();
    };
    expect(await underLoad('helm rollback', back)).toMatchObject(calm);
  });

  it('while all services are restarted', async () => {
    const restart = async () => {
      await kubectl('rollout', 'restart', ...deployments);
      await rolledOut();
    };
    expect(await underLoad('kubectl rollout restart', restart)).toMatchObject(calm);
  });

  it('while single pods are deleted', async () => {
    const remove = async () => {
      for (const component of components) {
        const [pod] = await pods(component);
        await kubectl('delete', 'pod', pod!.metadata.name, '--wait=false');
        await rolledOut([component]);
        await pause(2000);
      }
    };
    expect(await underLoad('one pod of each service deleted', remove)).toMatchObject(calm);
  });

  it('while a node without the database is drained', async () => {
    const [database] = await pods('postgresql');
    const nodes = (await run('kubectl', ['get', 'nodes', '-o', 'name'])).trim().split('\n');
    const node = nodes.map((name) => name.replace('node/', '')).find((name) => name !== database?.spec.nodeName);
    if (!node) return print('skipped: there is only one node');
    const drain = async () => {
      await run('kubectl', ['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=4m']);
      await rolledOut();
    };
    try {
      expect(await underLoad(`drain of ${node}`, drain)).toMatchObject(calm);
    } finally {
      await run('kubectl', ['uncordon', node]);
    }
  });

  it('while every service is scaled from 1 to 3 to 1', async () => {
    const scale = async (replicas: number) => {
      await kubectl('scale', ...deployments, `--replicas=${replicas}`);
      await rolledOut();
      const settled = async () => {
        const all = await Promise.all(components.map(pods));
        return all.every((group) => group.length === replicas && group.every(isReady));
      };
      await waitFor(settled, { timeout: 200_000, interval: 500, what: `${replicas} pods of each service` });
    };
    await scale(1);
    const report = await underLoad('scaled 1 → 3 → 1', async () => {
      await scale(3);
      await pause(5000);
      await scale(1);
    });
    await scale(2);
    expect(report).toMatchObject(calm);
  });
});
