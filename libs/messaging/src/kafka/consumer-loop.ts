import { Logger } from '@nestjs/common';
import { BackgroundTask } from '#libs/service';
import type { Consumer, EachBatchPayload, Kafka } from './kafkajs.js';
import { atMost, backoff, pause } from '../shared/backoff.js';

/** Partitions by topic, as a consumer group gave them to this process. */
export type Assignment = Record<string, number[]>;

export interface ConsumerLoopOptions {
  groupId: string;
  topics: string[];
  /** Must return at once or heartbeat by itself: kafkajs neither fetches nor heartbeats meanwhile. */
  onBatch(payload: EachBatchPayload): Promise<void>;
  /** After every rebalance, before the first fetch of the new assignment. */
  onAssigned(assignment: Assignment, consumer: Consumer): void;
  /** After messages that are not delivered, such as transaction markers; `offset` is that of the last one. */
  onHidden?(topic: string, partition: number, offset: string): void;
}

// The partitions of a replica killed with -9 wait this long; brokers allow no less.
const SESSION_TIMEOUT = 6000;
const HEARTBEAT_INTERVAL = 1500;
const SILENT_AFTER = 30_000;
const CLOCK_JUMP = 2000;

/**
 * Keeps one kafkajs consumer fetching until it is closed. kafkajs gives up on some errors and can hang after others, so
 * a consumer that crashed, stalled, or saw the wall clock jump (which kafkajs uses to time its
 * heartbeats) is replaced by a new one, which continues from the committed offsets.
 */
export class ConsumerLoop {
  private readonly log = new Logger('Events');
  private readonly task = new BackgroundTask((signal) => this.run(signal));
  private failing = false;
  /** When a consumer last fetched or joined, by the monotonic clock; failed attempts do not count. */
  lastLife = performance.now();
  consumer: Consumer | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly options: ConsumerLoopOptions,
  ) {}

  /** Returns at once; connects in the background and retries until it succeeds. */
  start(): void {
    this.task.start();
  }

  close(): Promise<void> {
    return this.task.close();
  }

  private async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      const started = performance.now();
      try {
        await this.consume(signal);
      } catch (error) {
        // A consumer that ran for long failed for a new reason, so the backoff starts over.
        if (performance.now() - started > 60_000) failures = 0;
        this.report(error as Error);
      }
      await pause(backoff(failures, 100, 3000), signal);
    }
  }

  /** Ends when `signal` aborts. @throws what ended the consumer otherwise. */
  private async consume(signal: AbortSignal): Promise<void> {
    const consumer = this.createConsumer();
    const end = new AbortController();
    const crash = Promise.withResolvers<never>();
    consumer.on(consumer.events.CRASH, ({ payload }) => crash.reject(payload.error));
    consumer.on(consumer.events.FETCH, () => this.alive());
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { batchSize, topic, partition, lastOffset } }) => {
      if (batchSize === 0) this.options.onHidden?.(topic, partition, lastOffset);
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (end.signal.aborted) return;
      this.alive();
      this.consumer = consumer;
      this.options.onAssigned(payload.memberAssignment, consumer);
    });
    const starting = this.connect(consumer, end.signal);
    try {
      const watched = this.watch(AbortSignal.any([signal, end.signal]));
      await Promise.race([watched, crash.promise, starting.then(() => new Promise<never>(() => undefined))]);
    } finally {
      end.abort();
      this.consumer = undefined;
      await this.disconnect(consumer, starting);
    }
  }

  /** Waits, but not for ever, for a consumer that is still connecting: kafkajs would leave it running. */
  private async disconnect(consumer: Consumer, starting: Promise<void>): Promise<void> {
    const ended = starting.catch(() => undefined).then(() => consumer.disconnect());
    await atMost(5000, ended);
    await atMost(5000, consumer.disconnect());
  }

  private async connect(consumer: Consumer, ended: AbortSignal): Promise<void> {
    await consumer.connect();
    if (ended.aborted) return;
    await consumer.subscribe({ topics: this.options.topics, fromBeginning: true });
    if (ended.aborted) return;
    await consumer.run({ autoCommit: false, eachBatch: (payload) => this.options.onBatch(payload) });
  }

  private alive(): void {
    this.lastLife = performance.now();
    if (this.failing) this.report();
  }

  private async watch(signal: AbortSignal): Promise<void> {
    const started = performance.now();
    let drift = Date.now() - started;
    while (!signal.aborted) {
      await pause(500, signal);
      const now = Date.now() - performance.now();
      if (Math.abs(now - drift) > CLOCK_JUMP) throw new Error('the clock of this machine jumped');
      drift = now;
      if (performance.now() - Math.max(this.lastLife, started) > SILENT_AFTER)
        throw new Error('the consumer stopped fetching');
    }
  }

  private createConsumer(): Consumer {
    return this.kafka.consumer({
      groupId: this.options.groupId,
      sessionTimeout: SESSION_TIMEOUT,
      heartbeatInterval: HEARTBEAT_INTERVAL,
      rebalanceTimeout: 10_000,
      // New data is returned at once. This sets how often an idle consumer polls, and how long a commit, a heartbeat
      // or a resumed partition may wait behind a poll; kafkajs's default of 5 s would be noticeable.
      maxWaitTimeInMs: 250,
      maxBytesPerPartition: 256 * 1024,
      maxBytes: 2 * 1024 * 1024,
      allowAutoTopicCreation: false,
      // This class restarts consumers itself, so kafkajs must not.
      retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 3, restartOnFailure: async () => false },
    });
  }

  private report(error?: Error): void {
    if (!error) this.log.log(`${this.options.groupId} consumes again`);
    else if (!this.failing) this.log.warn(`${this.options.groupId} does not consume: ${error.message}`);
    this.failing = error !== undefined;
  }
}
