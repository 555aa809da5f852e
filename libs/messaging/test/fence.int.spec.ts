import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { FREEZE } from './crash-child.js';
import { RecordDrawn } from './effects.js';
import { publishInto } from './replica.js';
import { Suite } from './suite.js';
import { numberDrawn } from './test-events.js';

const child = fileURLToPath(new URL('../../../dist/libs/messaging/test/crash-child.js', import.meta.url));
const drawn = (n: number) => ({ event: numberDrawn, key: 'a', data: { key: 'a', n } });

describe('a relay that is stopped when it is to send, and loses its session', () => {
  const suite = new Suite({ controllers: [RecordDrawn] });
  let frozen: ChildProcess | undefined;
  afterAll(async () => {
    if (!frozen || frozen.exitCode !== null) return;
    frozen.kill('SIGKILL');
    await once(frozen, 'exit');
  });

  const stopped = () => / \(.*\) T /s.test(readFileSync(`/proc/${frozen!.pid}/stat`, 'utf8'));
  const members = async () => {
    const [row] = await suite.replica.dataSource.query<{ count: number }[]>(
      `SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return row!.count;
  };

  it('brings nothing into the topic behind what another relay has sent since', async () => {
    await suite.close(suite.replica);
    frozen = spawn(process.execPath, [child], {
      stdio: 'inherit',
      env: { ...process.env, TEST_CRASH: JSON.stringify({ ...suite.options, controllers: undefined, step: FREEZE }) },
    });
    await publishInto(suite.options, [drawn(1)]);
    await waitFor(stopped, { what: 'the relay to stop', timeout: 30_000 });

    suite.replica = await suite.start();
    const { dataSource } = suite.replica;
    await dataSource.query(
      `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    await suite.replica.publish(drawn(2));
    await suite.effectsReach(2);
    expect(await members()).toBe(1);

    frozen.kill('SIGCONT');
    // It reconnects only when it knows what became of its events.
    await waitFor(async () => (await members()) === 2, { what: 'the relay to come back', timeout: 30_000 });
    const messages = await suite.readAll(suite.topic('numbers'));
    expect(messages.map(({ value }) => (JSON.parse(String(value)) as { n: number }).n)).toEqual([1, 2]);
  });
});
