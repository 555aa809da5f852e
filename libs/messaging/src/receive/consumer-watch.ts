import type { Admin, Kafka } from '../kafka/kafkajs.js';
import { SteadyAdmin } from '../kafka/admin.js';
import type { MessagingConfig } from '../shared/messaging.settings.js';
import { metrics } from '../shared/metrics.js';
import type { Progress } from './progress.js';

const MEASURE_EVERY = 15_000;

export interface Watched {
  /** When it last fetched or joined, by the monotonic clock. */
  readonly lastLife: number;
  /** Names of the partitions of this process, as `topic/partition`; all partitions if absent. */
  readonly assigned?: ReadonlySet<string>;
  readonly positions: ReadonlyMap<string, bigint>;
}

/** Measures a consumer's lag, and fails the liveness probe when it has stopped although Kafka answers. */
export class ConsumerWatch {
  private timers: NodeJS.Timeout[] = [];
  private readonly admin: SteadyAdmin;
  /** Since when Kafka has been answering without a break while the consumer is silent. */
  private answeringSince: number | undefined;
  private asking = false;
  /** Partitions of a broadcast with something to read, and since when they have been at their position. */
  private readonly standing = new Map<string, { position: bigint; since: number }>();

  /** @param groupId whose committed offsets count where no position is known; none for a broadcast, which must never stall. */
  constructor(
    kafka: Kafka,
    private readonly consumer: Watched,
    private readonly groupId: string | undefined,
    private readonly topics: string[],
    private readonly progress: Progress,
    private readonly config: Pick<MessagingConfig, 'EVENT_STUCK_AFTER'>,
  ) {
    this.admin = new SteadyAdmin(kafka);
  }

  start(): void {
    const every = Math.min(Math.max(this.config.EVENT_STUCK_AFTER / 10, 50), 5000);
    this.timers = [
      setInterval(
        () => void this.succeeds(this.measure()),
        Math.min(MEASURE_EVERY, this.config.EVENT_STUCK_AFTER / 4),
      ).unref(),
      setInterval(() => void this.suspect(), every).unref(),
    ];
  }

  async close(): Promise<void> {
    this.timers.forEach(clearInterval);
    await this.admin.close();
  }

  /**
   * @returns why this process should be restarted, if it should. An outage of Kafka or PostgreSQL is not a reason, nor may
   *   it delay the answer: a probe that times out counts as failed.
   */
  fault(now = performance.now()): string | undefined {
    const { EVENT_STUCK_AFTER: stuckAfter } = this.config;
    const fault = this.progress.fault(stuckAfter, now) ?? this.standstill(now - stuckAfter);
    // After an outage the consumer gets some time to recover before it counts as stuck.
    if (fault || this.answeringSince === undefined || now - this.answeringSince < stuckAfter / 2) return fault;
    return `events have not been fetched for ${Math.round((now - this.consumer.lastLife) / 1000)} s although Kafka answers`;
  }

  private standstill(before: number): string | undefined {
    for (const [name, { position, since }] of this.standing) {
      if (since < before) return `${name} stands still at offset ${position} although there is more to read`;
    }
    return undefined;
  }

  /** When the consumer is silent, makes its requests to Kafka over another connection, to find out which of the two is stuck. */
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
      this.standing.clear();
      return false;
    }
  }

  /** Queries the group's coordinator and the leaders of all partitions. Sets when the consumer last fetched, and the lag of the partitions of this process. */
  measure(): Promise<void> {
    return this.admin.use((admin) => this.measureBy(admin));
  }

  private async measureBy(admin: Admin): Promise<void> {
    const { groupId, topics } = this;
    const committed = groupId ? await admin.fetchOffsets({ groupId, topics }) : [];
    if (groupId) metrics.lastProgress.set((Date.now() - (performance.now() - this.consumer.lastLife)) / 1000);
    for (const topic of topics) {
      const offsets = committed.find((known) => known.topic === topic)?.partitions ?? [];
      for (const { partition, high, low } of await admin.fetchTopicOffsets(topic)) {
        const name = `${topic}/${partition}`;
        if (this.consumer.assigned?.has(name) === false) continue;
        const offset = offsets.find((known) => known.partition === partition)?.offset ?? '-1';
        const position = this.consumer.positions.get(name) ?? BigInt(offset === '-1' ? low : offset);
        const lag = Math.max(Number(BigInt(high) - position), 0);
        (groupId ? metrics.lag : metrics.broadcastLag).set({ topic, partition }, lag);
        if (!groupId) this.note(name, position, lag);
      }
    }
  }

  private note(name: string, position: bigint, lag: number): void {
    if (lag === 0) this.standing.delete(name);
    else if (this.standing.get(name)?.position !== position)
      this.standing.set(name, { position, since: performance.now() });
  }
}
