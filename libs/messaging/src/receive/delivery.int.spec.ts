import { Controller } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { record, RecordDrawn } from '../../test/effects.js';
import { Suite } from '../../test/suite.js';
import { numberDrawn, numberErased, type TestNumber } from '../../test/test-events.js';
import { EventContext } from './event-context.js';
import { OnEvent } from './on-event.js';

const drawn = (key: string, n: number) => ({ event: numberDrawn, key, data: { key, n } });

@Controller()
class Erase {
  static seen: EventContext[] = [];

  @OnEvent(numberErased)
  async handle(data: null, context: EventContext): Promise<void> {
    Erase.seen.push(context);
    await record(context, { key: context.key, n: data === null ? 0 : 1 });
  }
}

/** A second handler of the same event, which fails at first. */
@Controller()
class AlsoDrawn {
  @OnEvent(numberDrawn)
  async handle(data: TestNumber, context: EventContext): Promise<void> {
    if (data.key === 'both' && context.attempt === 1) throw new Error('not at first');
    if (data.key === 'both') await record(context, { ...data, n: data.n + 1000 });
  }
}

describe('an event', () => {
  const suite = new Suite({ controllers: [RecordDrawn, AlsoDrawn, Erase] });
  const add = (tx: EntityManager, n: number) => suite.replica.outbox.add(tx, numberDrawn, 'a', { key: 'a', n });

  it('reaches its handler once, and leaves the outbox empty', async () => {
    await suite.replica.publish(drawn('a', 1));
    expect(await suite.effectsReach(1)).toMatchObject([{ key: 'a', n: 1, attempt: 1 }]);
    await suite.idle([suite.topic('numbers')]);
    expect(await suite.effects()).toHaveLength(1);
  });

  it('is a CloudEvent in binary mode', async () => {
    const [message] = await suite.readAll(suite.topic('numbers'));
    const headers = {
      ce_specversion: '1.0',
      ce_type: 'number.drawn',
      ce_source: '/tests',
      'content-type': 'application/json',
    };
    expect(message).toMatchObject({ key: 'a', headers });
    expect(message!.headers.ce_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Date(message!.headers.ce_time!).toISOString()).toBe(message!.headers.ce_time);
    expect(message!.value!.toString()).toBe('{"key":"a","n":1}');
  });

  it('is sent only when its transaction is committed, with what a released savepoint holds', async () => {
    const { dataSource } = suite.replica;
    const before = (await suite.effects()).length;
    const rolledBack = dataSource.transaction(async (tx) => {
      await add(tx, 2);
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    await dataSource.transaction(async (tx) => {
      await tx.transaction((nested) => add(nested, 3));
      const undone = tx.transaction(async (nested) => {
        await add(nested, 4);
        throw new Error('undo');
      });
      await expect(undone).rejects.toThrow('undo');
      await add(tx, 5);
    });
    await suite.effectsReach(before + 2);
    await suite.idle([suite.topic('numbers')]);
    expect((await suite.effects()).slice(before).map(({ n }) => n)).toEqual([3, 5]);
  });

  it('can be a tombstone', async () => {
    const before = (await suite.effects()).length;
    await suite.replica.publish({ event: numberErased, key: 'gone', data: null });
    expect((await suite.effectsReach(before + 1)).at(-1)).toMatchObject({ key: 'gone', n: 0 });
    expect(
      (await suite.readAll(suite.topic('numbers'))).some(({ key, value }) => key === 'gone' && value === null),
    ).toBe(true);
    expect(Erase.seen[0]).toMatchObject({ type: 'number.erased', source: '/tests', topic: suite.topic('numbers') });
  });

  it('is handled by all its handlers or by none', async () => {
    const before = (await suite.effects()).length;
    await suite.replica.publish(drawn('both', 6));
    await suite.effectsReach(before + 2);
    await suite.idle([suite.topic('numbers'), suite.topic('tests.retry-1')]);
    expect((await suite.effects()).slice(before)).toMatchObject([
      { n: 6, attempt: 2 },
      { n: 1006, attempt: 2 },
    ]);
  });

  it('may be large, and many such may be in one transaction', async () => {
    const before = (await suite.effects()).length;
    const key = 'large'.repeat(20_000);
    await suite.replica.publish(...Array.from({ length: 30 }, (_, n) => ({ ...drawn('large', n), data: { key, n } })));
    const effects = (await suite.effectsReach(before + 30)).slice(before);
    expect(effects.map(({ n }) => n)).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });

  it('is not held up by rows for a topic that does not exist', async () => {
    const { dataSource, outbox } = suite.replica;
    const before = (await suite.effects()).length;
    const lost = {
      topic: `${suite.options.prefix}-missing`,
      key: 'x',
      payload: '{}',
      headers: {},
      expiresAt: new Date(Date.now() + 60_000),
    };
    await dataSource.transaction((tx) => outbox.addReply(tx, lost));
    for (let n = 0; n < 3; n++) {
      await suite.replica.publish(drawn('a', n), drawn('b', n), drawn('c', n));
      await suite.effectsReach(before + 3 * (n + 1));
    }
    expect(await dataSource.query('SELECT topic FROM outbox')).toEqual([{ topic: lost.topic }]);
    await dataSource.query('DELETE FROM outbox');
  });

  it('is refused when it is a mistake of the program', async () => {
    const { dataSource, outbox } = suite.replica;
    await expect(add(dataSource.manager, 7)).rejects.toThrow('only inside a transaction');
    const wrong = dataSource.transaction((tx) => add(tx, 1.5));
    await expect(wrong).rejects.toThrow(/data of number\.drawn is wrong/);
    const huge = { key: 'x'.repeat(1_000_000), n: 1 };
    await expect(dataSource.transaction((tx) => outbox.add(tx, numberDrawn, 'x', huge))).rejects.toThrow('bytes');
  });
});
