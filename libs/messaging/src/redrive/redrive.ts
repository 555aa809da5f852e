import type { Kafka } from 'kafkajs';
import { type Headers, type Received, received } from '../kafka/cloud-event.js';
import { FAILURE } from '../receive/routes.js';
import { Sender } from '../kafka/sender.js';
import type { TopicNames } from '../kafka/topics.js';

export interface RedriveOptions {
  /** At most so many messages, oldest first per partition. */
  limit?: number;
  /** Only looks: nothing is sent, and the next run starts at the same place. */
  dryRun?: boolean;
  /** Is told every message that is (or would be) sent back. */
  onMessage?: (message: Received) => void;
}

/** There is nothing to redrive from: the group is unknown or has never run. */
export class NoDeadLetters extends Error {}

/**
 * Sends the dead letters of a group back to its first retry topic, due now and with all attempts before them; no other
 * group sees them. Goes on where the last run ended, and ends with what was there at its start.
 *
 * A letter is marked as done after Kafka has it, so a run that is broken off sends some twice, which the inbox sorts out.
 * @returns how many were sent (or would be).
 */
export async function redrive(kafka: Kafka, names: TopicNames, options: RedriveOptions = {}): Promise<number> {
  const groupId = names.consumerGroup('redrive');
  const ends = await findPending(kafka, names.dead, groupId);
  const limit = options.limit ?? Infinity;
  if (ends.size === 0 || limit < 1) return 0;
  const sender = new Sender(kafka);
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50, allowAutoTopicCreation: false });
  const finished = Promise.withResolvers<void>();
  let count = 0;
  consumer.on(consumer.events.CRASH, ({ payload }) => finished.reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [names.dead], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => {
        const { topic, partition, messages } = payload.batch;
        const end = ends.get(partition);
        const letters = messages
          .filter(({ offset }) => end !== undefined && BigInt(offset) < end)
          .slice(0, limit - count)
          .map((message) => received(topic, partition, message));
        const last = letters.at(-1);
        if (last) {
          letters.forEach((letter) => options.onMessage?.(letter));
          count += letters.length;
          if (!options.dryRun) {
            await sender.send([{ topic: names.retry(1), messages: letters.map(backToStart) }]);
            await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(last.offset) + 1n) }]);
          }
          payload.resolveOffset(last.offset);
          if (BigInt(last.offset) + 1n >= end!) ends.delete(partition);
        }
        if (ends.size === 0 || count >= limit) finished.resolve();
        await payload.heartbeat();
      },
    });
    await finished.promise;
    return count;
  } finally {
    await consumer.disconnect().catch(() => undefined);
    await sender.close();
  }
}

/** @returns by partition where the dead letters end that no run has sent back yet. */
async function findPending(kafka: Kafka, topic: string, groupId: string): Promise<Map<number, bigint>> {
  const admin = kafka.admin({ retry: { retries: 2 } });
  try {
    await admin.connect();
    if (!(await admin.listTopics()).includes(topic)) throw new NoDeadLetters(`there is no topic ${topic}`);
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const pending = new Map<number, bigint>();
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const offset = committed?.partitions.find((known) => known.partition === partition)?.offset ?? '-1';
      const from = BigInt(offset) > BigInt(low) ? BigInt(offset) : BigInt(low);
      if (from < BigInt(high)) pending.set(partition, BigInt(high));
    }
    return pending;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

function backToStart({ key, value, headers }: Received): { key: string; value: Buffer | null; headers: Headers } {
  return { key, value, headers: { ...headers, [FAILURE.attempt]: '0', [FAILURE.due]: String(Date.now()) } };
}
