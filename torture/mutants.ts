import type { ConsumerRunConfig, Kafka, ProducerConfig } from 'kafkajs';
import type { ReplicaOptions } from '../libs/messaging/test/replica.js';
import { onRead } from './on-read.js';
import { OutboxFloor } from '../libs/messaging/src/send/outbox-floor.js';
import { SHARDS, ShardLeases } from '../libs/messaging/src/send/shard-leases.js';

type Wrap = ReplicaOptions['wrap'];

/** Mutations that the checks must detect. Each removes one thing that the order or delivery of events depends on. */
const mutants: Record<string, () => Wrap> = {
  'high-water-mark': () => {
    let highest = 0n;
    onRead((read) => {
      read.rows = read.rows.filter(({ id }) => BigInt(id) > highest);
      for (const { id } of read.rows) if (BigInt(id) > highest) highest = BigInt(id);
    });
    return {};
  },
  'floor-above-writers': () => {
    Object.assign(OutboxFloor.prototype, { writers: async () => [] });
    return {};
  },
  'leases-ignored': () => {
    const every = Array.from({ length: SHARDS }, (_, shard) => shard);
    Object.defineProperty(ShardLeases.prototype, 'shards', { get: () => every });
    return {};
  },
  'deadline-ignored': () => {
    ShardLeases.prototype.stamp = async () => String(Date.now());
    return {};
  },
  'wait-ignored': () => {
    const get = function (this: { held: Map<number, number> }) {
      return [...this.held.keys()];
    };
    Object.defineProperty(ShardLeases.prototype, 'shards', { get });
    return {};
  },
  'no-idempotence': () => ({ kafka: (kafka) => producing(kafka, { idempotent: false }, -1) }),
  'acks-1': () => ({ kafka: (kafka) => producing(kafka, { idempotent: false }, 1) }),
  'offset-before-effect': () => ({
    kafka: (kafka) => {
      const consumer = kafka.consumer.bind(kafka);
      kafka.consumer = (config) => {
        const created = consumer(config);
        const run = created.run.bind(created);
        created.run = ({ eachBatch, ...rest }: ConsumerRunConfig = {}) =>
          run({
            ...rest,
            eachBatch: async (payload) => {
              const { topic, partition, messages } = payload.batch;
              const offset = String(BigInt(messages.at(-1)!.offset) + 1n);
              await created.commitOffsets([{ topic, partition, offset }]);
              await eachBatch?.(payload);
            },
          });
        return created;
      };
      return kafka;
    },
  }),
};

export const mutantNames = Object.keys(mutants);

/** Applies the named mutation to this process, if any. @returns how the replica is to be started. */
export function mutate(name: string | undefined): Wrap {
  if (!name) return {};
  const mutant = mutants[name];
  if (!mutant) throw new Error(`no mutant is called ${name}; there are ${mutantNames.join(', ')}`);
  return mutant();
}

function producing(kafka: Kafka, config: ProducerConfig, acks: number): Kafka {
  const producer = kafka.producer.bind(kafka);
  kafka.producer = (given) => {
    const created = producer({ ...given, ...config });
    const sendBatch = created.sendBatch.bind(created);
    created.sendBatch = (batch) => sendBatch({ ...batch, acks });
    return created;
  };
  return kafka;
}
