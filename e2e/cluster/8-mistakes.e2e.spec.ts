import { beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { chart, components, fixed, fullname, helm, isReady, kubectl, type Pod, pods, release } from './release.js';
import { rolledOut, sets, sql, underLoad, upgrade } from './release.js';

// A release that cannot start says why in one line, the former pods continue to serve, and a rollback is enough.
describe('serves on with the former pods', () => {
  beforeAll(() => upgrade(fixed), 400_000);

  const twoReady = async () => {
    for (const component of components) expect((await pods(component)).filter(isReady)).toHaveLength(2);
  };
  const waiting = async () => (await pods('users')).find((pod) => !isReady(pod) && pod.status.phase === 'Running');
  /** Waits until the new pod of users logs a line like this. */
  const says = (line: RegExp) =>
    waitFor(
      async () => {
        const pod: Pod | undefined = await waiting();
        return pod !== undefined && line.test(await kubectl('logs', pod.metadata.name));
      },
      { timeout: 60_000, interval: 500, what: `a new pod that says ${String(line)}` },
    );
  const restartUsers = () => kubectl('rollout', 'restart', `deployment/${fullname}-users`);

  it('while an image that does not exist is tried and rolled back', async () => {
    const report = await underLoad('an image that does not exist', async () => {
      const wrong = sets({ ...fixed, 'image.tag': 'no-such-tag' });
      await helm('upgrade', release, chart, '--reset-values', ...wrong);
      const stuck = async () => /no-such-tag/.test(await kubectl('get', 'events', '--field-selector', 'type=Warning'));
      await waitFor(stuck, { timeout: 60_000, interval: 500, what: 'an event that names the image' });
      await twoReady();
      await helm('rollback', release, '--wait', '--timeout', '6m');
      await rolledOut();
    });
    expect(report).toMatchObject({ failed: 0 });
  });

  it('while the database password is wrong, and is corrected', async () => {
    const secret = `secret/${fullname}-postgresql`;
    const patch = (password: string) =>
      kubectl('patch', secret, '--type=merge', '-p', JSON.stringify({ data: { 'users-password': password } }));
    const right = await kubectl('get', secret, '-o', 'jsonpath={.data.users-password}');
    const report = await underLoad('a wrong database password', async () => {
      try {
        await patch(Buffer.from('wrong').toString('base64'));
        await restartUsers();
        await says(/waiting for the database: password authentication failed for user \\?"users/);
        await twoReady();
      } finally {
        await patch(right);
      }
      await restartUsers();
      await rolledOut();
    });
    expect(report).toMatchObject({ failed: 0 });
  });

  it('while the schema is newer than the image can work on', async () => {
    const report = await underLoad('a schema that is too new', async () => {
      try {
        await sql('users', 'UPDATE schema_version SET version = version + 90, compatible_from = version + 90');
        await restartUsers();
        await says(/waiting for the database schema: it is schema \d+, which is too new for this version/);
        await twoReady();
      } finally {
        await sql('users', 'UPDATE schema_version SET version = version - 90, compatible_from = 1');
      }
      await rolledOut();
    });
    expect(report).toMatchObject({ failed: 0 });
  });
});
