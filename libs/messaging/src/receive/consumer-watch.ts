import type { Admin, Kafka } from 'kafkajs';
import type { GroupConsumer } from './group-consumer.js';
import type { MessagingConfig } from '../shared/messaging.settings.js';
import { metrics } from '../shared/metrics.js';
import type { Progress } from './progress.js';

const MEASURE_EVERY = 15_000;

/** Measures how far the consumer is behind, and tells the liveness probe when it has stopped although Kafka answers. */
export class ConsumerWatch {
  private timers: NodeJS.Timeout[] = [];
  private admin: Promise<Admin> | undefined;
  /** Since when Kafka has been answering without a break while the consumer is silent. */
  private answeringSince: number | undefined;
  private asking = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly consumer: Pick<GroupConsumer, 'lastLife' | 'assigned' | 'positions'>,
    private readonly groupId: string,
    private readonly topics: string[],
    private readonly progress: Progress,
    private readonly config: Pick<MessagingConfig, 'EVENT_STUCK_AFTER' | 'EVENT_ORDERED_STUCK_AFTER'>,
  ) {}

  start(): void {
    const every = Math.min(Math.max(this.config.EVENT_STUCK_AFTER / 10, 50), 5000);
    this.timers = [
      setInterval(() => void this.succeeds(this.measure()), MEASURE_EVERY).unref(),
      setInterval(() => void this.suspect(), every).unref(),
    ];
  }

  async close(): Promise<void> {
    this.timers.forEach(clearInterval);
    await this.disconnect();
  }

  /**
   * @returns why this process should be restarted, if it should. An outage of Kafka or PostgreSQL is no reason, nor may
   *   it delay the answer: a probe that times out counts as failed.
   */
  fault(now = performance.now()): string | undefined {
    const { EVENT_STUCK_AFTER: stuckAfter, EVENT_ORDERED_STUCK_AFTER: orderedStuckAfter } = this.config;
    const fault = this.progress.fault(stuckAfter, orderedStuckAfter, now);
    // After an outage the consumer needs a moment to come back; only then is it to blame.
    if (fault || this.answeringSince === undefined || now - this.answeringSince < stuckAfter / 2) return fault;
    return `events have not been fetched for ${Math.round((now - this.consumer.lastLife) / 1000)} s although Kafka answers`;
  }

  /** When the consumer is silent, asks all that it needs of Kafka, over another connection: whose fault is it? */
  private async suspect(): Promise<void> {
    if (performance.now() - this.consumer.lastLife <= this.config.EVENT_STUCK_AFTER) {
      this.answeringSince = undefined;
    } else if (!this.asking) {
      this.asking = true;
      const answers = await this.succeeds(this.measure());
      this.answeringSince = answers ? (this.answeringSince ?? performance.now()) : undefined;
      this.asking = false;
    }
  }

  private async succeeds(asking: Promise<void>): Promise<boolean> {
    try {
      await asking;
      return true;
    } catch {
      await this.disconnect();
      return false;
    }
  }

  /** Asks the group's coordinator and the leaders of all partitions. Sets when the consumer last fetched, and the lag of the partitions of this process. */
  async measure(): Promise<void> {
    metrics.lastProgress.set((Date.now() - (performance.now() - this.consumer.lastLife)) / 1000);
    const admin = await this.connected();
    const committed = await admin.fetchOffsets({ groupId: this.groupId, topics: this.topics });
    for (const { topic, partitions } of committed) {
      const ends = await admin.fetchTopicOffsets(topic);
      for (const { partition, high, low } of ends) {
        if (!this.consumer.assigned.has(`${topic}/${partition}`)) continue;
        const offset = partitions.find((known) => known.partition === partition)?.offset ?? '-1';
        const known = offset === '-1' ? BigInt(low) : BigInt(offset);
        const position = this.consumer.positions.get(`${topic}/${partition}`) ?? known;
        metrics.lag.set({ topic, partition }, Math.max(Number(BigInt(high) - position), 0));
      }
    }
  }

  private connected(): Promise<Admin> {
    this.admin ??= this.connect();
    return this.admin;
  }

  private async connect(): Promise<Admin> {
    const admin = this.kafka.admin({ retry: { retries: 0 } });
    await admin.connect();
    return admin;
  }

  private async disconnect(): Promise<void> {
    const { admin } = this;
    this.admin = undefined;
    await admin?.then((connected) => connected.disconnect()).catch(() => undefined);
  }
}
