import { Logger } from '@nestjs/common';
import type { Consumer, EachBatchPayload, Kafka } from '../kafka/kafkajs.js';
import { atMost, pause } from '../shared/backoff.js';
import { received } from '../kafka/cloud-event.js';
import { type Assignment, ConsumerLoop } from '../kafka/consumer-loop.js';
import { metrics } from '../shared/metrics.js';
import { PartitionWorker, type WorkerTools } from './partition-worker.js';

/** How long running handlers may take to finish when the service stops, in milliseconds. */
const DRAIN_LIMIT = 20_000;

/** Bytes that may wait for their handlers: of one partition, and of all that this process has. */
const QUEUES = { partition: 1_000_000, all: 32_000_000 };

/**
 * The consumer of a service's group: fetches, hands every partition's messages to its own worker and commits what the
 * workers have done. Offsets are only where to resume: the inbox records effects, so a commit that is late,
 * lost or overtaken by a rebalance only causes some messages to be read again.
 */
export class GroupConsumer {
  private readonly log = new Logger('Events');
  private readonly loop: ConsumerLoop;
  private readonly workers = new Map<string, PartitionWorker>();
  private readonly finished = new Map<PartitionWorker, string>();
  private readonly paused = new Set<PartitionWorker>();
  /** Next offset to handle, by `topic/partition`, as far as this process knows. */
  readonly positions = new Map<string, bigint>();
  assigned: ReadonlySet<string> = new Set();
  private committing: Promise<void> | undefined;
  private closing = false;

  constructor(
    kafka: Kafka,
    groupId: string,
    topics: string[],
    private readonly tools: WorkerTools,
  ) {
    this.loop = new ConsumerLoop(kafka, {
      groupId,
      topics,
      onAssigned: (assignment, consumer) => this.onAssigned(assignment, consumer),
      onBatch: (payload) => this.onBatch(payload),
    });
  }

  get lastLife(): number {
    return this.loop.lastLife;
  }

  private get consumer() {
    return this.loop.consumer;
  }

  start(): void {
    this.loop.start();
  }

  /** Lets running transactions finish, commits their offsets and leaves the group. */
  async close(): Promise<void> {
    this.closing = true;
    await atMost(DRAIN_LIMIT, Promise.all([...this.workers.values()].map((worker) => worker.stop())));
    await this.committing;
    await this.commit();
    await this.loop.close();
  }

  private onAssigned(assignment: Assignment, consumer: Consumer): void {
    metrics.rebalances.inc();
    const mine = new Set(
      Object.entries(assignment).flatMap(([topic, partitions]) =>
        partitions.map((partition) => `${topic}/${partition}`),
      ),
    );
    this.log.log(`this replica now consumes ${mine.size} partitions`);
    this.assigned = mine;
    // A new consumer does not know which partitions the previous one had paused.
    consumer.pause([...this.paused].map(({ topic, partition }) => ({ topic, partitions: [partition] })));
    for (const [name, worker] of this.workers) {
      // A partition that stays keeps its queue. Messages fetched again from the committed offset are queued behind it, and
      // the inbox discards duplicates; so nothing that was fetched can be skipped.
      if (mine.has(name)) continue;
      void worker.stop();
      this.forget(name, worker);
    }
  }

  private forget(name: string, worker: PartitionWorker): void {
    this.workers.delete(name);
    this.finished.delete(worker);
    this.resume(worker);
    this.positions.delete(name);
    metrics.lag.remove({ topic: worker.topic, partition: worker.partition });
  }

  // Returns at once, so the fetch loop never waits for a handler.
  private async onBatch(payload: EachBatchPayload): Promise<void> {
    metrics.lastProgress.setToCurrentTime();
    if (this.closing) return;
    const { batch } = payload;
    const worker = this.workerOf(batch.topic, batch.partition);
    worker.push(batch.messages.map((message) => received(batch.topic, batch.partition, message)));
    if (!worker.full || this.paused.has(worker)) return;
    payload.pause();
    this.paused.add(worker);
  }

  private workerOf(topic: string, partition: number): PartitionWorker {
    const name = `${topic}/${partition}`;
    let worker = this.workers.get(name);
    if (!worker) {
      worker = new PartitionWorker(topic, partition, this.tools, this.room, (...done) => this.done(...done));
      this.workers.set(name, worker);
    }
    return worker;
  }

  private room = (): number => Math.min(QUEUES.partition, QUEUES.all / Math.max(this.assigned.size, 1));

  private done(worker: PartitionWorker, nextOffset: string): void {
    const name = `${worker.topic}/${worker.partition}`;
    if (this.workers.get(name) !== worker) return;
    this.positions.set(name, BigInt(nextOffset));
    this.finished.set(worker, nextOffset);
    if (worker.low) this.resume(worker);
    this.committing ??= this.commitAll().finally(() => (this.committing = undefined));
  }

  private resume(worker: PartitionWorker): void {
    if (!this.paused.delete(worker)) return;
    this.consumer?.resume([{ topic: worker.topic, partitions: [worker.partition] }]);
  }

  private async commitAll(): Promise<void> {
    while (this.finished.size > 0 && !this.closing) {
      // A failed commit is retried together with whatever has been finished by then.
      if (!(await this.commit())) await pause(500);
    }
  }

  private async commit(): Promise<boolean> {
    const offsets = [...this.finished].map(([{ topic, partition }, offset]) => ({ topic, partition, offset }));
    const { consumer } = this;
    if (!consumer) return false;
    if (offsets.length === 0) return true;
    const committed = new Map(this.finished);
    try {
      await consumer.commitOffsets(offsets);
    } catch (error) {
      this.log.debug(`offsets were not committed: ${(error as Error).message}`);
      return false;
    }
    for (const [worker, offset] of committed) {
      if (this.finished.get(worker) === offset) this.finished.delete(worker);
    }
    return true;
  }
}
