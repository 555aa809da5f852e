import { describe, expect, it } from '@jest/globals';
import { RecordDrawn } from '../../test/effects.js';
import { headersOf, Suite } from '../../test/suite.js';
import { numberDrawn } from '../../test/test-events.js';
import { ConfigResourceTypes } from './kafkajs.js';
import { unlz4, unsnappy } from './codecs.js';
import { uuidv7 } from './cloud-event.js';

describe('a topic that its broker or a foreign producer packs', () => {
  const suite = new Suite({ controllers: [RecordDrawn] });

  // The broker compresses what it stores again, with the codecs of the Java clients.
  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('with %s is read, small and large', async (codec) => {
    const topic = suite.topic('numbers');
    await suite.idle([topic]);
    const kafka = suite.replica.kafka.admin();
    await kafka.connect();
    await kafka.alterConfigs({
      validateOnly: false,
      resources: [
        { type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'compression.type', value: codec }] },
      ],
    });
    await kafka.disconnect();
    const before = (await suite.effects()).length;
    const message = (key: string, n: number) => ({
      key,
      value: JSON.stringify({ key, n }),
      headers: headersOf(numberDrawn.type, uuidv7()),
    });
    await suite.produce(topic, message('one', 1));
    // Repeats near and far, long literals, more than a block of 64 KB.
    const noise = Array.from({ length: 300 }, (_, n) => `${n}${Math.sin(n)}`.repeat(1 + (n % 7))).join('');
    await suite.produce(topic, ...[2, 3, 4, 5, 6, 7].map((n) => message(`${'x'.repeat(1000)}${noise}`, n)));
    const effects = (await suite.effectsReach(before + 7)).slice(before);
    expect(effects.map(({ n }) => n).toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(effects.filter(({ key }) => key.endsWith(noise))).toHaveLength(6);
  });
});

describe('what is packed wrongly', () => {
  it.each([
    ['too short', () => unsnappy(Buffer.from([5, 0xf0, 9, 1]))],
    ['a reference to nothing', () => unsnappy(Buffer.from([4, 0x01, 9]))],
    ['no frame', () => unlz4(Buffer.alloc(20))],
    ['a frame that ends', () => unlz4(Buffer.from('04224d1840400008000000', 'hex'))],
    [
      'a bomb',
      () => unsnappy(Buffer.from([1, 0, 65, ...Array.from({ length: 1_100_000 }, () => [0xfe, 1, 0]).flat()])),
    ],
  ])('is refused: %s', (_what, unpack) => {
    expect(unpack).toThrow();
  });
});
