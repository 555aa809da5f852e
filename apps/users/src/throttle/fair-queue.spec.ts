import { describe, expect, it } from '@jest/globals';
import { FairQueue } from './fair-queue.js';

type Queue = FairQueue<string>;

const queueOf = (most: number): Queue => new FairQueue(2, most);
const flood = (queue: Queue, count: number, network: (n: number) => string, account: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => queue.add(`stranger ${n}`, network(n), account(n)));
const drain = (queue: Queue) => Array.from({ length: queue.size }, () => queue.next());

const floods: [string, (n: number) => string, (n: number) => string][] = [
  ['one network trying many accounts', () => 'their network', (n) => `account ${n}`],
  ['many networks trying one account', (n) => `network ${n}`, () => 'their account'],
  ['one network trying one account', () => 'their network', () => 'their account'],
];

describe('a fair queue', () => {
  it.each(floods)('lets somebody else be among the next four, whatever %s', (_case, network, account) => {
    const queue = queueOf(1000);
    flood(queue, 500, network, account);
    queue.add('Ada', 'her network', 'her account');
    expect(drain(queue).indexOf('Ada')).toBeLessThan(4);
  });

  it.each(floods)('that is full keeps somebody else, whatever %s', (_case, network, account) => {
    const queue = queueOf(100);
    flood(queue, 300, network, account);
    expect(queue.add('Ada', 'her network', 'her account')).toMatch(/^stranger/);
    expect(queue.size).toBe(100);
    expect(flood(queue, 300, network, account)).not.toContain('Ada');
    expect(drain(queue)).toContain('Ada');
  });

  it('that is full of one network still tells its accounts apart', () => {
    const queue = queueOf(100);
    flood(
      queue,
      100,
      () => 'the only network',
      () => 'their account',
    );
    expect(queue.add('Ada', 'the only network', 'her account')).toBe('stranger 99');
  });

  it('keeps those who came first when all are alike', () => {
    const queue = queueOf(2);
    const displaced = flood(
      queue,
      4,
      (n) => `network ${n}`,
      (n) => `account ${n}`,
    );
    expect(displaced).toEqual([undefined, undefined, 'stranger 2', 'stranger 3']);
    expect(drain(queue)).toEqual(['stranger 0', 'stranger 1']);
  });

  it('gives back everything once, in the order of arrival within a group', () => {
    const queue = queueOf(1000);
    flood(
      queue,
      300,
      (n) => `network ${n % 7}`,
      (n) => `account ${n % 11}`,
    );
    const order = drain(queue);
    expect(new Set(order).size).toBe(300);
    expect([queue.size, queue.next()]).toEqual([0, undefined]);
    const ofOne = order.map((name) => Number(name!.split(' ')[1])).filter((n) => n % 7 === 3 && n % 11 === 5);
    expect(ofOne).toEqual([...ofOne].sort((a, b) => a - b));
  });
});
