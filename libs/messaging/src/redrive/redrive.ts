import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, EachBatchPayload, Kafka } from '../kafka/kafkajs.js';
import { withAdmin } from '../kafka/admin.js';
import { type Headers, type Received, received } from '../kafka/cloud-event.js';
import { FAILURE } from '../receive/routes.js';
import { Sender } from '../kafka/sender.js';
import type { TopicNames } from '../kafka/topics.js';

export interface RedriveOptions {
  /** The maximum number of messages, oldest first per partition. */
  limit?: number;
  /** Dry run: nothing is sent, and the next run starts at the same place. */
  dryRun?: boolean;
  onMessage?: (message: Received) => void;
}

/**
 * Sends the dead letters of a group back to its first retry topic, due now and with all attempts available; no other
 * group sees them. Ends after the letters that were there at its start. Concurrent runs share the partitions.
 *
 * What was sent back is deleted from the dead letters, which is how the next run knows where to continue: offsets are not committed, as those
 * of an empty group expire after a week. An interrupted run sends some letters twice, which the inbox detects.
 * @returns how many were sent (or would be). @throws Error when the group is unknown or has never run.
 */
export function redrive(kafka: Kafka, names: TopicNames, options: RedriveOptions = {}): Promise<number> {
  return withAdmin(kafka, 2, (admin) => new Run(kafka, admin, names, options).done());
}

class Run {
  private readonly sender: Sender;
  private readonly consumer: Consumer;
  private readonly finished = Promise.withResolvers<void>();
  /** By partition: the end offset at the start, and the next letter to send back. */
  private readonly ends = new Map<number, bigint>();
  private readonly next = new Map<number, bigint>();
  /** The partitions assigned to this run; undefined until they are known. */
  private mine: number[] | undefined;
  private count = 0;

  constructor(
    kafka: Kafka,
    private readonly admin: Admin,
    private readonly names: TopicNames,
    private readonly options: RedriveOptions,
  ) {
    this.sender = new Sender(kafka);
    // A dry run takes no partitions from one that sends.
    const groupId = names.consumerGroup(options.dryRun ? `redrive.${randomUUID()}` : 'redrive');
    this.consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50, allowAutoTopicCreation: false });
  }

  async done(): Promise<number> {
    for (const [partition, { from, end }] of await this.pending()) {
      this.ends.set(partition, end);
      this.next.set(partition, from);
    }
    if (this.ends.size === 0 || this.limit < 1) return 0;
    const { consumer, names } = this;
    consumer.on(consumer.events.CRASH, ({ payload }) => this.finished.reject(payload.error));
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const partitions = payload.memberAssignment[names.dead] ?? [];
      this.mine = undefined;
      for (const partition of partitions) {
        const offset = this.next.get(partition);
        if (offset !== undefined) consumer.seek({ topic: names.dead, partition, offset: String(offset) });
      }
      this.take(partitions).catch(this.finished.reject);
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [names.dead], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.onBatch(payload),
      });
      await this.finished.promise;
      return this.count;
    } finally {
      await consumer.disconnect().catch(() => undefined);
      await this.sender.close();
    }
  }

  private get limit(): number {
    return this.options.limit ?? Infinity;
  }

  /** Another run may have sent back some of them, or all. */
  private async take(partitions: number[]): Promise<void> {
    const pending = await this.pending();
    for (const [partition, end] of this.ends) this.passed(partition, pending.get(partition)?.from ?? end);
    this.mine = partitions;
    this.finishIfDone();
  }

  private async onBatch(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    const end = this.ends.get(partition) ?? 0n;
    const next = this.next.get(partition) ?? 0n;
    const letters = messages
      .filter(({ offset }) => BigInt(offset) >= next && BigInt(offset) < end)
      .slice(0, this.limit - this.count)
      .map((message) => received(topic, partition, message));
    const last = letters.at(-1);
    if (last) {
      const passed = BigInt(last.offset) + 1n;
      if (!this.options.dryRun) await this.sendBack(letters, partition, passed);
      this.passed(partition, passed);
      letters.forEach((letter) => this.options.onMessage?.(letter));
      this.count += letters.length;
    }
    payload.resolveOffset(messages.at(-1)!.offset);
    this.finishIfDone();
    await payload.heartbeat();
  }

  private passed(partition: number, next: bigint): void {
    if (next > (this.next.get(partition) ?? -1n)) this.next.set(partition, next);
  }

  private async sendBack(letters: Received[], partition: number, next: bigint): Promise<void> {
    const { admin, names } = this;
    await this.sender.send([{ topic: names.retry(1), messages: letters.map(backToStart) }]);
    await admin.deleteTopicRecords({ topic: names.dead, partitions: [{ partition, offset: String(next) }] });
  }

  private finishIfDone(): void {
    const left = this.mine?.some((partition) => (this.next.get(partition) ?? 0n) < (this.ends.get(partition) ?? 0n));
    if (left === false || this.count >= this.limit) this.finished.resolve();
  }

  /** @returns by partition the dead letters that no run has sent back yet. */
  private async pending(): Promise<Map<number, { from: bigint; end: bigint }>> {
    const { admin, names } = this;
    if (!(await admin.listTopics()).includes(names.dead)) throw new Error(`there is no topic ${names.dead}`);
    const pending = new Map<number, { from: bigint; end: bigint }>();
    for (const { partition, low, high } of await admin.fetchTopicOffsets(names.dead))
      if (BigInt(low) < BigInt(high)) pending.set(partition, { from: BigInt(low), end: BigInt(high) });
    return pending;
  }
}

function backToStart({ key, value, headers }: Received): { key: string; value: Buffer | null; headers: Headers } {
  return { key, value, headers: { ...headers, [FAILURE.attempt]: '0', [FAILURE.due]: String(Date.now()) } };
}
