import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { components, fixed, fullname, isReady, kubectl, nodeIn, pods, print, rolledOut, upgrade } from './release.js';

const CALLERS = 8;

/** In the pod of the callers: ends their work. */
const END = '/tmp/callers-end';

/** Calls users over gRPC from a pod of todos, on connections of its own, until END is there; prints how many calls failed. */
const callers = `
  const { existsSync, rmSync } = await import('node:fs');
  rmSync('${END}', { force: true });
  const { credentials, loadPackageDefinition, status } = await import('/app/node_modules/@grpc/grpc-js/build/src/index.js');
  const { loadSync } = await import('/app/node_modules/@grpc/proto-loader/build/src/index.js');
  const { usersProto } = await import('/app/dist/libs/contracts/src/index.js');
  const { Users } = loadPackageDefinition(loadSync(usersProto)).users.v1;
  let calls = 0, failed = 0;
  const call = (client) => new Promise((resolve) =>
    client.GetUser({ id: crypto.randomUUID() }, { deadline: Date.now() + 2000 }, (error) => {
      calls++;
      if (error?.code !== status.NOT_FOUND) failed++;
      resolve();
    }));
  const latest = Date.now() + 240_000;
  await Promise.all(Array.from({ length: ${CALLERS} }, async () => {
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    const client = new Users('dns:///' + process.env.USERS_GRPC_URL, credentials.createInsecure(), options);
    while (!existsSync('${END}') && Date.now() < latest) {
      await call(client);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    client.close();
  }));
  console.log(JSON.stringify({ calls, failed }));
  process.exit(0);
`;

/** The number of connections to a users pod's gRPC port, from /proc, which lists ports in hexadecimal. */
const connections = `
  const { readFileSync } = await import('node:fs');
  const rows = ['tcp', 'tcp6'].flatMap((file) => readFileSync('/proc/net/' + file, 'utf8').split('\\n').slice(1));
  const established = rows.map((row) => row.trim().split(/\\s+/)).filter(([, local, , state]) => state === '01' && local?.endsWith(':C383'));
  console.log(established.length);
`;

describe('callers over gRPC', () => {
  beforeAll(() => upgrade(fixed), 400_000);

  it('reach pods that were added, within 30 s, and no call fails', async () => {
    const scale = async (replicas: number) => {
      await kubectl('scale', `deployment/${fullname}-users`, `--replicas=${replicas}`);
      await rolledOut(components.slice(0, 1));
    };
    await scale(1);
    const [caller] = (await pods('todos')).filter(isReady);
    const work = nodeIn(caller!.metadata.name, callers);
    await sleep(3000);
    await scale(3);
    await sleep(30_000);
    const users = (await pods('users')).filter(isReady);
    const counts = await Promise.all(
      users.map(async ({ metadata: { name } }) => Number(await nodeIn(name, connections))),
    );
    await kubectl('exec', caller!.metadata.name, '--', 'touch', END);
    const { calls, failed } = JSON.parse(await work) as { calls: number; failed: number };
    print(
      `connections to each pod of users 30 s after the scale-up: ${String(counts)}; ${failed} of ${calls} calls failed`,
    );
    await scale(2);
    expect(failed).toBe(0);
    expect(counts.filter((count) => count > 0).length).toBeGreaterThan(1);
  });
});
