import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { serviceNames } from '../../scripts/services.js';
import { apply, fixed, fullname, helm, namespace, nodeIn, pods, release, run, upgrade } from './release.js';
import { imageOf } from './sabotage.js';

const elsewhere = `${namespace}-stranger`;
const address = (name: string, port: number) => `${fullname}-${name}.${namespace}.svc:${port}`;
const open = serviceNames.map((name) => address(name, 8080));
const shut = [
  ...serviceNames.map((name) => address(name, 9464)),
  address('users', 50051),
  address('postgresql', 5432),
  address('kafka', 9092),
  address('mailpit', 1025),
  address('mailpit', 8025),
];

/** Prints which of the addresses (host:port) accept a TCP connection. */
const reach = (addresses: string[]) => `
  import { connect } from 'node:net';
  const reaches = (address) => new Promise((resolve) => {
    const [host, port] = address.split(':');
    const socket = connect({ host, port: Number(port), timeout: 3000 });
    socket.on('connect', () => resolve(true)).on('timeout', () => resolve(false)).on('error', () => resolve(false));
  });
  const all = ${JSON.stringify(addresses)};
  const answers = await Promise.all(all.map(reaches));
  console.log(JSON.stringify(all.filter((_, n) => answers[n])));
  process.exit(0);`;

describe('the network', () => {
  beforeAll(() => upgrade({ ...fixed, 'tests.networkPolicy': true }), 400_000);
  afterAll(async () => {
    await run('kubectl', ['delete', 'namespace', elsewhere, '--ignore-not-found', '--wait=false']);
    await upgrade(fixed);
  }, 400_000);

  const from = async (component: string, addresses: string[]) => {
    const [pod] = await pods(component);
    return JSON.parse(await nodeIn(pod!.metadata.name, reach(addresses))) as string[];
  };

  it('lets a pod of another namespace reach only the public port of each service', async () => {
    const [pod] = await pods('todos');
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: elsewhere } });
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'stranger', namespace: elsewhere },
      spec: {
        containers: [{ name: 'stranger', image: await imageOf(pod!), args: ['-e', 'setInterval(() => {}, 1000)'] }],
      },
    });
    await run('kubectl', ['-n', elsewhere, 'wait', 'pod/stranger', '--for=condition=Ready', '--timeout=60s']);
    const script = reach([...open, ...shut]);
    const exec = ['-n', elsewhere, 'exec', 'stranger', '--', 'node', '--input-type=module', '-e', script];
    expect(JSON.parse(await run('kubectl', exec))).toEqual(open);
  });

  it('lets a pod of the same namespace reach no more, says helm test', async () => {
    expect(await helm('test', release, '--timeout', '3m')).toMatch(/Phase:\s+Succeeded/);
  });

  it('lets each service reach what it needs and nothing else', async () => {
    const smtp = address('mailpit', 1025);
    const grpc = address('users', 50051);
    const needed = [address('postgresql', 5432), address('kafka', 9092)];
    expect(await from('users', [...needed, smtp])).toEqual(needed);
    expect(await from('todos', [...needed, grpc, smtp])).toEqual([...needed, grpc]);
    expect(await from('notifications', [...needed, smtp, grpc])).toEqual([...needed, smtp]);
    for (const component of serviceNames) {
      expect(await from(component, ['1.1.1.1:443', 'kubernetes.default.svc:443'])).toEqual([]);
    }
  });

  it('and each service only its own database', async () => {
    const [pod] = await pods('notifications');
    const script = `
      import { readFileSync } from 'node:fs';
      import pg from '/app/node_modules/pg/lib/index.js';
      const { DATABASE_URL, DATABASE_URL_FILE } = process.env;
      const own = DATABASE_URL ?? readFileSync(DATABASE_URL_FILE, 'utf8').trim();
      const answer = async (database) => {
        const url = new URL(own);
        if (database) url.pathname = database;
        const client = new pg.Client({ connectionString: url.href });
        return client.connect().then(() => 'connected', (error) => error.code);
      };
      console.log(JSON.stringify([await answer(), await answer('todos'), await answer('users')]));
      process.exit(0);`;
    // Refused by pg_hba.conf (28000) or by the database's privileges (42501).
    const refused = expect.stringMatching(/^(28000|42501)$/);
    expect(JSON.parse(await nodeIn(pod!.metadata.name, script))).toEqual(['connected', refused, refused]);
  });
});
