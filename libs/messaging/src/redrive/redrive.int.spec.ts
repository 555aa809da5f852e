import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Controller } from '@nestjs/common';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { record, RecordDrawn } from '../../test/effects.js';
import { headersOf, Suite } from '../../test/suite.js';
import { numberDrawn, type TestNumber } from '../../test/test-events.js';
import { uuidv7 } from '../kafka/cloud-event.js';
import { EventContext } from '../receive/event-context.js';
import { OnEvent } from '../receive/on-event.js';

const cli = fileURLToPath(new URL('../../../../dist/libs/messaging/src/redrive/redrive.cli.js', import.meta.url));

@Controller()
class Mended {
  static mended = false;

  @OnEvent(numberDrawn)
  async handle(data: TestNumber, context: EventContext): Promise<void> {
    if (!Mended.mended) throw new Error('broken');
    await record(context, data);
  }
}

describe('redrive', () => {
  const suite = new Suite({ controllers: [Mended] });

  /** Runs the command as a person would. */
  async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const env = { ...process.env, KAFKA_BROKERS: suite.options.brokers, TOPIC_PREFIX: suite.options.prefix };
    try {
      const { stdout: out, stderr: err } = await promisify(execFile)(process.execPath, [cli, ...args], { env });
      return { code: 0, out, err };
    } catch (error) {
      const { code, stdout: out, stderr: err } = error as { code: number; stdout: string; stderr: string };
      return { code, out, err };
    }
  }

  beforeAll(async () => {
    // Another service with the same events: what is redriven to the first must not reach it.
    await suite.start({ group: 'others', controllers: [RecordDrawn] });
    const numbers = [1, 2, 3, 4, 5];
    await suite.replica.publish(
      ...numbers.map((n) => ({ event: numberDrawn, key: `k${n}`, data: { key: `k${n}`, n } })),
    );
    const dead = async () => (await suite.readAll(suite.topic('tests.dead'))).length;
    await waitFor(async () => (await dead()) === 5, { what: 'five dead letters' });
    await suite.effectsReach(5);
  });

  it('lists what it would send and why that failed, and sends nothing, in a dry run', async () => {
    const { code, out } = await run('--group', 'tests', '--dry-run');
    expect(code).toBe(0);
    expect(out.match(/number\.drawn .* key k\d: broken/g)).toHaveLength(5);
    expect(out).toContain('5 dead letters would be sent back to tests');
    expect(await suite.effects()).toHaveLength(5);
  });

  it('sends no more than its limit, then the rest, then nothing', async () => {
    Mended.mended = true;
    expect((await run('--group', 'tests', '--limit', '2')).out).toContain('2 dead letters sent back to tests');
    expect((await run('--group', 'tests')).out).toContain('3 dead letters sent back to tests');
    expect((await run('--group', 'tests')).out).toContain('0 dead letters sent back to tests');
  });

  it('reaches only the group that failed, with all attempts before it', async () => {
    const effects = await suite.effectsReach(10);
    await suite.idle([suite.topic('tests.retry-1')]);
    expect(await suite.effects()).toHaveLength(10);
    expect(
      effects
        .slice(5)
        .map(({ n }) => n)
        .toSorted((a, b) => a - b),
    ).toEqual([1, 2, 3, 4, 5]);
    expect(effects.slice(5).every(({ attempt }) => attempt === 1)).toBe(true);
  });

  const dead = () => suite.readAll(suite.topic('tests.dead'));

  it('leaves no offset that the broker could forget, nor any letter that was sent back', async () => {
    expect(await dead()).toEqual([]);
    const admin = suite.replica.kafka.admin();
    await admin.connect();
    const [offsets] = await admin.fetchOffsets({
      groupId: suite.topic('tests.redrive'),
      topics: [suite.topic('tests.dead')],
    });
    await admin.disconnect();
    expect(offsets!.partitions.map(({ offset }) => offset)).toEqual(['-1', '-1', '-1']);
  });

  it('makes what can never be handled a dead letter again', async () => {
    await suite.produce(suite.topic('numbers'), {
      key: 'bad',
      value: '?',
      headers: headersOf(numberDrawn.type, uuidv7()),
    });
    const [letter] = await waitFor(async () => ((await dead()).length === 1 ? dead() : undefined));
    expect((await run('--group', 'tests')).out).toContain('the value is no JSON');
    const back = async () => (await dead()).some(({ offset }) => BigInt(offset) > BigInt(letter!.offset));
    await waitFor(back, { what: 'the dead letter to be back' });
    expect(await dead()).toHaveLength(1);
  });

  it('shares the letters with other runs at the same time, and each run ends', async () => {
    Mended.mended = false;
    const numbers = Array.from({ length: 30 }, (_, n) => ({ key: `again ${n}`, n }));
    await suite.replica.publish(...numbers.map((data) => ({ event: numberDrawn, key: data.key, data })));
    await waitFor(async () => (await dead()).length === 31, { what: 'the dead letters', timeout: 30_000 });
    Mended.mended = true;
    const runs = await Promise.all([run('--group', 'tests'), run('--group', 'tests'), run('--group', 'tests')]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    const done = (await suite.effectsReach(10 + 30 + 30)).slice(-30).map(({ key }) => key);
    expect(new Set(done).size).toBe(30);
  }, 180_000);

  it.each([
    [['--help'], 0, /npm run redrive/],
    [[], 64, /--group is required/],
    [['--group', 'tests', '--limit', 'x'], 64, /--limit takes a whole number/],
    [['--groop', 'tests'], 64, /--groop/],
    [['--group', 'nobody'], 1, /there is no topic .*nobody\.dead/],
  ])('answers %j with exit code %i', async (args, code, text) => {
    const result = await run(...args);
    expect(result.code).toBe(code);
    expect(result.out + result.err).toMatch(text);
  });
});
