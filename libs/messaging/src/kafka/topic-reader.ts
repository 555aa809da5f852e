import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { BackgroundTask } from '#libs/service';
import { withAdmin } from './admin.js';
import type { Admin, Consumer, Kafka } from './kafkajs.js';
import { backoff, pause } from '../shared/backoff.js';
import { type Received, received } from './cloud-event.js';
import { type Assignment, ConsumerLoop } from './consumer-loop.js';

export interface TopicReaderOptions {
  /** First part of the consumer group's id; the rest is random, so that every process reads everything. */
  groupId: string;
  topics: string[];
  /** How old the first message may be, in milliseconds: 0 starts after the last one, Infinity at the first that is kept. */
  lastOf(topic: string): number;
  onMessage(message: Received): Promise<void>;
}

/**
 * Reads all partitions of some topics in this process, commits nothing, and knows when it has caught up with what was
 * there at start. After a reconnection it continues where it was.
 */
export class TopicReader {
  private readonly log = new Logger('Events');
  private readonly task = new BackgroundTask((signal) => this.run(signal));
  private readonly loop: ConsumerLoop;
  /** Next offset to read, by `topic/partition`. */
  readonly positions = new Map<string, bigint>();
  /** Until they are reached: the ends at start. */
  private goals: Map<string, bigint> | undefined;
  private joined: () => void = () => undefined;
  /** Resolves when the reader has joined: it sees whatever is sent from then on. */
  readonly ready = new Promise<void>((resolve) => (this.joined = resolve));

  constructor(
    private readonly kafka: Kafka,
    private readonly options: TopicReaderOptions,
  ) {
    this.loop = new ConsumerLoop(kafka, {
      groupId: `${options.groupId}.${randomUUID()}`,
      topics: options.topics,
      onAssigned: (assignment, consumer) => this.onAssigned(assignment, consumer),
      onBatch: async (payload) => {
        const { batch } = payload;
        for (const message of batch.messages) {
          if (!payload.isRunning() || this.task.closed) return;
          await options.onMessage(received(batch.topic, batch.partition, message));
          this.passed(`${batch.topic}/${batch.partition}`, BigInt(message.offset) + 1n);
          await payload.heartbeat();
        }
        // Messages that are not delivered, such as transaction markers, may follow the last one.
        this.passed(`${batch.topic}/${batch.partition}`, BigInt(batch.lastOffset()) + 1n);
      },
      onHidden: (topic, partition, offset) => this.passed(`${topic}/${partition}`, BigInt(offset) + 1n),
    });
  }

  start(): void {
    this.task.start();
  }

  async close(): Promise<void> {
    await this.task.close();
    await this.loop.close();
  }

  get lastLife(): number {
    return this.loop.lastLife;
  }

  /** Number of partitions whose end at start has not been reached; undefined while the ends are not known. */
  get behind(): number | undefined {
    return this.goals?.size;
  }

  private async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !this.goals && !signal.aborted; failures++) {
      try {
        this.goals = await withAdmin(this.kafka, 1, (admin) => this.findEnds(admin));
      } catch (error) {
        if (failures === 0)
          this.log.warn(
            `cannot read the end offsets of ${this.options.topics.join(', ')} yet: ${(error as Error).message}`,
          );
        await pause(backoff(failures, 100, 5000), signal);
      }
    }
    if (!signal.aborted) this.loop.start();
  }

  private async findEnds(admin: Admin): Promise<Map<string, bigint>> {
    const goals = new Map<string, bigint>();
    for (const topic of this.options.topics) {
      const last = this.options.lastOf(topic);
      const recent = last > 0 && last < Infinity ? await offsetsSince(admin, topic, Date.now() - last) : undefined;
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        const name = `${topic}/${partition}`;
        const start = BigInt(recent?.get(partition) ?? (last === 0 ? high : low));
        this.positions.set(name, start);
        if (BigInt(high) > start) goals.set(name, BigInt(high));
      }
    }
    return goals;
  }

  private onAssigned(assignment: Assignment, consumer: Consumer): void {
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        const position = this.positions.get(`${topic}/${partition}`);
        if (position !== undefined) consumer.seek({ topic, partition, offset: String(position) });
      }
    }
    this.joined();
  }

  private passed(name: string, position: bigint): void {
    this.positions.set(name, position);
    const goal = this.goals?.get(name);
    if (goal !== undefined && position >= goal) this.goals?.delete(name);
  }
}

/** The offset of the first message of each partition that is not older than `time`, in milliseconds since 1970. */
async function offsetsSince(admin: Admin, topic: string, time: number): Promise<Map<number, string>> {
  const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, time);
  return new Map(offsets.map(({ partition, offset }) => [partition, offset]));
}
