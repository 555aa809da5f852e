import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MailboxClient, waitFor } from '#libs/testing';
import type { List } from '../client.js';
import { logIn, newPerson } from '../people.js';
import {
  baseUrl,
  chart,
  components,
  fixed,
  helm,
  isReady,
  namespace,
  pods,
  print,
  release,
  rolledOut,
  run,
  sets,
  settled,
  since,
  upgrade,
  withMailbox,
} from './release.js';

/** The resource kinds of operators, without which that mode cannot be installed. */
const operatorKinds = ['clusters.postgresql.cnpg.io', 'databases.postgresql.cnpg.io', 'kafkas.kafka.strimzi.io'];
const hasOperatorKinds = await run('kubectl', ['get', 'crd', ...operatorKinds, 'scaledobjects.keda.sh']).then(
  () => true,
  () => false,
);

/** What of the release exists: kind, name, uid (of what is made anew it is another) and a digest of its data. */
const existing = async (space: string, kinds: string) => {
  const selected = ['get', kinds, '-l', `app.kubernetes.io/instance=${release}`, '-o', 'json'];
  const { items } = JSON.parse(await run('kubectl', ['-n', space, ...selected])) as {
    items: { kind: string; metadata: { name: string; uid: string }; data?: object }[];
  };
  const digest = (data: object = {}) => createHash('sha256').update(JSON.stringify(data)).digest('hex');
  return items.map(({ kind, metadata, data }) => `${kind} ${metadata.name} ${metadata.uid} ${digest(data)}`).toSorted();
};

describe('helm uninstall, then helm install under the same name', () => {
  beforeAll(async () => {
    await upgrade(fixed);
    await settled();
  }, 600_000);

  it('finds the embedded data again: accounts, lists, sessions and what waits in Kafka', async () => {
    const target = { baseUrl: baseUrl() };
    const before = await newPerson(target);
    // The first call of a pod that has just started may take longer than a caller waits.
    const create = async () => {
      const { status, body } = await before.api.post<List>('/lists', { name: 'Kept' });
      return status === 201 && body;
    };
    const list = await waitFor(create, { timeout: 30_000, interval: 1000, what: 'a list' });
    const kept = await existing(namespace, 'secret,pvc');
    const begun = Date.now();
    await helm('uninstall', release, '--wait', '--timeout', '3m');
    expect((await Promise.all(components.map(pods))).flat().filter(isReady)).toEqual([]);
    expect(await existing(namespace, 'secret,pvc')).toEqual(kept);
    expect(kept.filter((line) => line.startsWith('PersistentVolumeClaim'))).toHaveLength(2);
    await helm('install', release, chart, '--wait', '--timeout', '6m', ...sets(fixed));
    await rolledOut();
    print(`uninstalled and installed again after ${since(begun)}`);

    expect(await existing(namespace, 'secret,pvc')).toEqual(kept);
    expect((await before.api.get<List>(`/lists/${list.id}`)).body).toMatchObject({ name: 'Kept' });
    const { api } = await logIn(before.api, before);
    expect((await api.get(`/lists/${list.id}`)).status).toBe(200);
    await withMailbox(async (url) => {
      const mailbox = new MailboxClient(url);
      const { email } = await newPerson(target);
      await mailbox.waitForMail(email, { timeout: 60_000 });
      // The mailbox is new: a mail to somebody known before would have been sent a second time.
      expect(await mailbox.list(before.email)).toHaveLength(0);
    });
  });

  const modes: { mode: string; kinds: string; stays: string[]; generated: Record<string, string> }[] = [
    { mode: 'external', kinds: 'secret', stays: ['Secret'], generated: { 'services.users.existingSecret': '' } },
    ...(hasOperatorKinds
      ? [
          {
            mode: 'operators',
            kinds: 'secret,cluster.postgresql.cnpg.io,database.postgresql.cnpg.io,kafka,kafkanodepool',
            generated: {},
            stays: ['Cluster', 'Database', 'Kafka', 'KafkaNodePool', 'Secret'],
          },
        ]
      : []),
  ];
  const spaceOf = (mode: string) => `${namespace}-${mode}`;
  afterAll(async () => {
    for (const { mode } of modes) {
      await run('kubectl', ['delete', 'namespace', spaceOf(mode), '--ignore-not-found', '--wait=false']);
    }
  });

  // Without their servers the pods never get ready; what Helm keeps and takes over again is the API server's matter.
  it.each(modes)('keeps what holds data in the mode "$mode", and the passwords', async ({ mode, kinds, ...of }) => {
    const space = spaceOf(mode);
    const values = ['--values', `${chart}/ci/${mode}-values.yaml`, ...sets(of.generated)];
    const install = () => run('helm', ['install', release, chart, '-n', space, ...values]);
    await run('kubectl', ['create', 'namespace', space]);
    await install();
    const before = await existing(space, kinds);
    await run('helm', ['uninstall', release, '-n', space, '--wait', '--timeout', '3m']);
    const kept = await existing(space, kinds);
    expect([...new Set(kept.map((line) => line.split(' ')[0]))]).toEqual(of.stays);
    await install();
    const after = await existing(space, kinds);
    expect(before).toEqual(expect.arrayContaining(kept));
    expect(after).toEqual(expect.arrayContaining(kept));
    await run('helm', ['uninstall', release, '-n', space]);
  });
});
