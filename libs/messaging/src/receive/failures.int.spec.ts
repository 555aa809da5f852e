import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { FailNegative, Ordered } from '../../test/failing.js';
import { headersOf, Suite } from '../../test/suite.js';
import { numberDrawn, numberForgotten, numberRaised } from '../../test/test-events.js';
import { metrics } from '../shared/metrics.js';
import { uuidv7 } from '../kafka/cloud-event.js';
import { FAILURE } from './routes.js';

const drawn = (key: string, n: number) => ({ event: numberDrawn, key, data: { key, n } });
const raised = (key: string, n: number) => ({ event: numberRaised, key, data: { key, n } });

const byText = (a = '', b = '') => a.localeCompare(b, 'en');

describe('a message that can never be handled', () => {
  const suite = new Suite({ controllers: [FailNegative] });

  it('goes to the dead letters with its reason, and those around it are handled', async () => {
    const topic = suite.topic('numbers');
    const value = JSON.stringify({ key: 'k', n: 1 });
    const id = uuidv7();
    await suite.produce(
      topic,
      { key: 'k', value, headers: headersOf(numberDrawn.type, uuidv7()) },
      { key: 'k', value: 'hello' },
      { key: 'k', value: '{"key":', headers: headersOf(numberDrawn.type, uuidv7()) },
      { key: 'k', value: '{"key":"k","n":"one"}', headers: headersOf(numberDrawn.type, id) },
      { key: 'k', value: null, headers: headersOf(numberDrawn.type, uuidv7()) },
      { key: 'k', value: '{"key":"k","n":-1}', headers: headersOf(numberDrawn.type, uuidv7()) },
      { key: 'k', value, headers: headersOf(numberDrawn.type, uuidv7()) },
    );
    expect(await suite.effectsReach(2)).toMatchObject([{ n: 1 }, { n: 1 }]);
    await waitFor(async () => (await suite.readAll(suite.topic('tests.dead'))).length === 5, { what: 'dead letters' });

    const letters = await suite.readAll(suite.topic('tests.dead'));
    const reasons = letters.map(({ headers }) => headers[FAILURE.reason]).toSorted(byText);
    expect(reasons).toEqual([
      'it is no CloudEvent: ce_id, ce_type or ce_source is missing',
      'negative numbers are not for us: -1',
      expect.stringContaining('the data does not fit its schema'),
      expect.stringContaining('the data does not fit its schema'),
      expect.stringContaining('the value is no JSON'),
    ]);
    const mismatch = letters.find(({ headers }) => headers.ce_id === id);
    expect(mismatch).toMatchObject({
      key: 'k',
      headers: { ce_type: numberDrawn.type, [FAILURE.topic]: topic, [FAILURE.offset]: '3', [FAILURE.attempt]: '1' },
    });
    expect(mismatch!.value!.toString()).toBe('{"key":"k","n":"one"}');
    expect(new Date(mismatch!.headers[FAILURE.failedAt]!).getTime()).toBeGreaterThan(Date.now() - 60_000);
    const tried = letters.find(({ headers }) => headers[FAILURE.reason]?.startsWith('negative'));
    expect(tried?.headers).toMatchObject({ [FAILURE.attempt]: '4', [FAILURE.offset]: '5', [FAILURE.topic]: topic });
    expect(await suite.effects()).toHaveLength(2);
  });

  it('is passed over when nobody here handles its type, also one that this version does not know', async () => {
    const before = (await suite.effects()).length;
    await suite.produce(
      suite.topic('numbers'),
      { key: 'x', value: '{}', headers: headersOf('number.invented-later', uuidv7()) },
      { key: 'x', value: '{}', headers: headersOf(numberForgotten.type, uuidv7()) },
      { key: 'x', value: '{"key":"x","n":8}', headers: headersOf(numberDrawn.type, uuidv7()) },
    );
    expect((await suite.effectsReach(before + 1)).at(-1)).toMatchObject({ n: 8 });
    expect(await suite.readAll(suite.topic('tests.dead'))).toHaveLength(5);
  });

  it('does not stop the consumer when its headers are strange or it is as large as its topic allows', async () => {
    const before = (await suite.effects()).length;
    const letters = (await suite.readAll(suite.topic('tests.dead'))).length;
    const largest = 'x'.repeat(1_048_000);
    await suite.produce(suite.topic('numbers'), {
      key: null,
      value: 'x',
      headers: { empty: '', many: ['a', 'b'] },
    });
    await suite.produce(suite.topic('numbers'), { key: 'k', value: largest, headers: { ce_id: 'large' } });
    await suite.produce(suite.topic('numbers'), {
      key: 'y',
      value: '{"key":"y","n":10}',
      headers: { ...headersOf(numberDrawn.type, uuidv7()), ce_time: 'yesterday' },
    });
    expect((await suite.effectsReach(before + 1)).at(-1)).toMatchObject({ n: 10 });
    const dead = async () => (await suite.readAll(suite.topic('tests.dead'))).length;
    await waitFor(async () => (await dead()) === letters + 2, { what: 'two dead letters' });
    const [large] = (await suite.readAll(suite.topic('tests.dead'))).filter(({ headers }) => headers.ce_id === 'large');
    expect(large!.value).toHaveLength(largest.length);
  });

  it('is done once when it comes twice', async () => {
    const before = (await suite.effects()).length;
    const twin = { key: 't', value: '{"key":"t","n":9}', headers: headersOf(numberDrawn.type, uuidv7()) };
    await suite.produce(suite.topic('numbers'), twin, twin);
    await suite.produce(suite.topic('numbers'), twin);
    await suite.idle([suite.topic('numbers')]);
    expect((await suite.effects()).slice(before)).toMatchObject([{ n: 9 }]);
  });
});

describe('a handler that fails now and then', () => {
  const suite = new Suite({ controllers: [FailNegative] });

  it('does not keep other events of its partition waiting, and is tried after each delay', async () => {
    await suite.replica.publish(drawn('a', -7), drawn('a', 1), drawn('a', 2));
    expect(await suite.effectsReach(2)).toMatchObject([
      { n: 1, attempt: 1 },
      { n: 2, attempt: 1 },
    ]);
    const dead = await waitFor(async () => (await suite.readAll(suite.topic('tests.dead')))[0], {
      what: 'the dead letter',
    });
    const stages = await Promise.all([1, 2, 3].map((stage) => suite.readAll(suite.topic(`tests.retry-${stage}`))));
    const failedAt = [...stages.flat(), dead].map(({ headers }) => new Date(headers[FAILURE.failedAt]!).getTime());
    expect(stages.map((messages) => messages.map(({ headers }) => headers[FAILURE.attempt]))).toEqual([
      ['1'],
      ['2'],
      ['3'],
    ]);
    // The delays of this suite are 50, 100 and 150 ms; a clock in whole milliseconds may lose one.
    for (const [index, delay] of [50, 100, 150].entries()) {
      expect(failedAt[index + 1]! - failedAt[index]!).toBeGreaterThanOrEqual(delay - 1);
    }
    expect(await suite.effects()).toHaveLength(2);
  });
});

describe('a handler whose order matters', () => {
  const suite = new Suite({ controllers: [Ordered], env: { EVENT_ORDERED_STUCK_AFTER: '300ms' } });
  const live = () => suite.replica.health.liveness.get('events')!();

  const stuck = async () => (await suite.effects()).filter(({ key }) => key === 'stuck').map(({ n }) => n);

  it('parks the key that it cannot handle, and lets the others go on, also those of its partition', async () => {
    Ordered.fault = new Error('not now');
    const others = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    await suite.replica.publish(raised('stuck', 1), raised('stuck', 2), ...others.map((key) => raised(key, 1)));
    expect((await suite.effectsReach(7)).map(({ key }) => key).toSorted(byText)).toEqual(others);
    const sent = await suite.readAll(suite.topic('numbers'));
    const { partition } = sent.find(({ key }) => key === 'stuck')!;
    expect(sent.filter((message) => message.partition === partition).length).toBeGreaterThan(2);
    await suite.idle([suite.topic('numbers')]);
    await waitFor(async () => (await metrics.parkedKeys.get()).values[0]?.value === 1, { what: 'the metric' });
    expect(await live()).toBeUndefined();
    expect(await suite.readAll(suite.topic('tests.retry-1'))).toEqual([]);
  });

  it('handles what is parked in its order once it can, also what came meanwhile and to another replica', async () => {
    const publish = async (from: number, to: number) => {
      for (let n = from; n <= to; n++) await suite.replica.publish(raised('stuck', n));
    };
    await publish(3, 10);
    const other = await suite.start();
    const publishing = publish(11, 80);
    await waitFor(async () => (await suite.readAll(suite.topic('numbers'))).length > 40, { what: 'half of them' });
    Ordered.fault = undefined;
    await publishing;
    await suite.effectsReach(87);
    expect(await stuck()).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
    await waitFor(async () => (await metrics.parkedKeys.get()).values[0]?.value === 0, { what: 'the metric' });
    await suite.close(other);
  });

  it('does not count a deadlock as a failed attempt', async () => {
    const before = Ordered.tries;
    Ordered.fault = Object.assign(new Error('deadlock detected'), { code: '40P01' });
    await suite.replica.publish(raised('stuck', 81));
    await waitFor(() => Ordered.tries >= before + 3, { what: 'three tries' });
    await sleep(500);
    expect(await suite.replica.dataSource.query('SELECT FROM parked_events')).toEqual([]);
    Ordered.fault = undefined;
    expect((await suite.effectsReach(88)).at(-1)).toMatchObject({ key: 'stuck', n: 81, attempt: 1 });
  });
});

describe('what only this group may say of a message', () => {
  const suite = new Suite({ controllers: [FailNegative], env: { EVENT_RETRY_DELAYS: '10m' } });
  const value = JSON.stringify({ key: 'k', n: 1 });
  const failed = (due: number) => ({
    [FAILURE.topic]: suite.topic('numbers'),
    [FAILURE.due]: String(Date.now() + due),
  });

  it('is not believed of a stranger, who would hold up a partition', async () => {
    const headers = { ...headersOf(numberDrawn.type, uuidv7()), ...failed(600_000) };
    await suite.produce(suite.topic('numbers'), { key: 'k', value, headers });
    await suite.effectsReach(1);
  });

  it('is obeyed in retry topics, also of stages that the settings no longer have', async () => {
    await suite.close(suite.replica);
    suite.replica = await suite.start({ env: { EVENT_RETRY_DELAYS: '1m,1m,1m' } });
    await suite.close(suite.replica);
    suite.replica = await suite.start();
    const headers = { ...headersOf(numberDrawn.type, uuidv7()), ...failed(0), [FAILURE.attempt]: '3' };
    await suite.produce(suite.topic('tests.retry-3'), { key: 'k', value, headers });
    expect((await suite.effectsReach(2)).at(-1)).toMatchObject({ attempt: 4 });
  });
});
