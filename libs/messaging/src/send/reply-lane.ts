import { withAdmin } from '../kafka/admin.js';
import type { Kafka } from '../kafka/kafkajs.js';
import type { Sender } from '../kafka/sender.js';
import { Lane, type Stamp } from './lane.js';
import type { OutboxRow } from './outbox-rows.js';

const KNOWN_FOR = 10_000;
const ASK_AFTER = 500;

/**
 * Sends replies to topics that callers named. One request finds out which of them do not exist:
 * trying each would take the relay half a second per topic.
 */
export class ReplyLane {
  private readonly lane: Lane;
  private topics: ReadonlySet<string> = new Set();
  private askedAt = -Infinity;

  constructor(
    private readonly kafka: Kafka,
    sender: Sender,
  ) {
    this.lane = new Lane(sender, { probes: 1, suspects: 1000 });
  }

  get held(): string[] {
    return this.lane.held;
  }

  async send(rows: OutboxRow[], stamp: Stamp): Promise<string[]> {
    if (rows.length === 0) return [];
    const wanted = [...new Set(rows.map(({ topic }) => topic))];
    await this.learn(wanted);
    for (const topic of wanted)
      if (!this.topics.has(topic)) this.lane.hold(topic, 'it does not exist, or the login at Kafka may not write it');
    return this.lane.send(
      rows.filter(({ topic }) => this.topics.has(topic)),
      stamp,
    );
  }

  private async learn(wanted: string[]): Promise<void> {
    const age = performance.now() - this.askedAt;
    if (age < ASK_AFTER || (age < KNOWN_FOR && wanted.every((topic) => this.topics.has(topic)))) return;
    this.topics = new Set(await withAdmin(this.kafka, 1, (admin) => admin.listTopics()));
    this.askedAt = performance.now();
  }
}
