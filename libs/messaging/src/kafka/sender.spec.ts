import { describe, expect, it } from '@jest/globals';
import { batchesOf } from './sender.js';

const message = (key: string, size: number) => ({ key, value: 'x'.repeat(size) });

describe('batches', () => {
  it('keep every message in its order and stay under what a broker takes', () => {
    const big = [
      message('a', 400_000),
      message('b', 400_000),
      message('c', 10),
      message('d', 900_000),
      message('e', 10),
    ];
    const batches = batchesOf([
      { topic: 'one', messages: big },
      { topic: 'two', messages: [message('f', 10)] },
    ]);
    const keys = batches.map((batch) =>
      batch.map(({ topic, messages }) => [topic, messages.map(({ key }) => key).join('')]),
    );
    expect(keys).toEqual([
      [['one', 'a']],
      [['one', 'bc']],
      [['one', 'd']],
      [
        ['one', 'e'],
        ['two', 'f'],
      ],
    ]);
  });

  it('count bytes, not characters', () => {
    const wide = { key: 'k', value: 'é'.repeat(200_000), headers: { reason: 'ü'.repeat(100) } };
    expect(batchesOf([{ topic: 't', messages: [wide, wide] }])).toHaveLength(2);
    expect(batchesOf([])).toEqual([]);
  });
});
