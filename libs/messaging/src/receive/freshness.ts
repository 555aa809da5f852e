import type { Kafka } from '../kafka/kafkajs.js';
import { SteadyAdmin } from '../kafka/admin.js';
import { atMost, pause } from '../shared/backoff.js';

/** Milliseconds. */
const PROVE_EVERY = 300;
/** Checks stop when nobody has asked for this long, in milliseconds. */
const WANTED_FOR = 30_000;
/** After Kafka was away, the relays of other services may send nothing for another 2 s, plus what it takes to catch up. */
const SETTLE = 5000;

/**
 * Whether the memory of this replica follows the broadcasts of a topic. A consumer that hears nothing cannot tell silence from
 * an outage, so this asks the leaders of all partitions for their ends, and waits until they have been handled here.
 */
export class Freshness {
  private readonly admin: SteadyAdmin;
  private readonly closing = new AbortController();
  private proving: Promise<void> | undefined;
  /** All that had been sent by then has been handled. All times are monotonic. */
  private provenAt = -Infinity;
  private doubtedAt = -Infinity;
  private wantedUntil = -Infinity;

  /** @param within milliseconds. @param positions the next offset to handle, by `topic/partition`. */
  constructor(
    kafka: Kafka,
    private readonly topic: string,
    private readonly within: number,
    private readonly positions: () => ReadonlyMap<string, bigint> | undefined,
  ) {
    this.admin = new SteadyAdmin(kafka);
  }

  /**
   * True when every broadcast that was sent `within` ms ago or earlier has been handled here. False at first: proofs are
   * collected only while somebody asks.
   */
  get isProven(): boolean {
    const now = performance.now();
    this.wantedUntil = now + WANTED_FOR;
    if (!this.closing.signal.aborted) this.proving ??= this.prove();
    return now - this.provenAt <= this.within && now - this.doubtedAt > SETTLE;
  }

  async close(): Promise<void> {
    this.closing.abort();
    // A broker that is silent must not hold up the shutdown.
    await atMost(2000, Promise.resolve(this.proving));
    await atMost(2000, this.admin.close());
  }

  private async prove(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted && performance.now() < this.wantedUntil) {
      const asked = performance.now();
      if (await this.isCaughtUp(asked).catch(() => false)) this.provenAt = asked;
      else this.doubtedAt = performance.now();
      await pause(PROVE_EVERY, signal);
    }
    this.proving = undefined;
  }

  /** @returns whether the ends of the topic have been handled here within the time. */
  private async isCaughtUp(asked: number): Promise<boolean> {
    const ends = await this.admin.use((admin) => admin.fetchTopicOffsets(this.topic));
    const isBehind = ({ partition, high }: { partition: number; high: string }) =>
      (this.positions()?.get(`${this.topic}/${partition}`) ?? 0n) < BigInt(high);
    while (ends.some(isBehind)) {
      if (this.closing.signal.aborted || performance.now() - asked > this.within) return false;
      await pause(10, this.closing.signal);
    }
    return true;
  }
}
