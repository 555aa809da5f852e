import { Logger } from '@nestjs/common';
import type { TopicMessages } from '../kafka/kafkajs.js';
import { protocolError } from '../kafka/kafka.js';
import type { Sender } from '../kafka/sender.js';
import { backoff } from '../shared/backoff.js';
import { metrics } from '../shared/metrics.js';
import type { OutboxRow } from './outbox-rows.js';

// Errors of one topic or its messages, not of the broker.
const TOPIC_FAULTS = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'POLICY_VIOLATION',
]);

const REASONS: Record<string, string> = {
  TOPIC_AUTHORIZATION_FAILED: 'the login at Kafka (KAFKA_USERNAME) may not write it',
};

/** The time of a lease, as a message's timestamp. */
export type Stamp = () => Promise<string>;

interface Suspect {
  failures: number;
  retryAt: number;
}

/** Sends rows, and keeps topics that refuse them from holding up the others. */
export class Lane {
  private readonly log = new Logger('Relay');
  private readonly suspects = new Map<string, Suspect>();

  /** @param limits how many suspects are tried in one call, as each may take a second, and how many are remembered. */
  constructor(
    private readonly sender: Sender,
    private readonly limits = { probes: Infinity, suspects: Infinity },
  ) {}

  get held(): string[] {
    const now = performance.now();
    return [...this.suspects].filter(([, { retryAt }]) => retryAt > now).map(([topic]) => topic);
  }

  /** @returns the ids of the rows that are stored in Kafka. @throws when the broker cannot be reached. */
  async send(rows: OutboxRow[], stamp: Stamp): Promise<string[]> {
    const sent: string[] = [];
    const healthy = rows.filter(({ topic }) => !this.suspects.has(topic));
    const byTopic = Map.groupBy(rows, ({ topic }) => topic);
    const probed = [...this.suspects.keys()].filter((topic) => byTopic.has(topic)).slice(0, this.limits.probes);
    if (await this.try(healthy, stamp)) sent.push(...healthy.map(({ id }) => id));
    for (const topic of probed) {
      const suspected = byTopic.get(topic)!;
      if (!(await this.try(suspected, stamp))) continue;
      this.suspects.delete(topic);
      sent.push(...suspected.map(({ id }) => id));
    }
    return sent;
  }

  hold(topic: string, reason: string): void {
    const suspect = this.suspects.get(topic) ?? { failures: 0, retryAt: 0 };
    if (suspect.failures === 0) this.log.error(`topic ${topic} rejects messages, they stay in the outbox: ${reason}`);
    suspect.retryAt = performance.now() + backoff(suspect.failures++, 500, 60_000);
    this.remember(topic, suspect);
  }

  /** @returns false when a topic refused; then each topic of the rows is tried alone from now on. */
  private async try(rows: OutboxRow[], stamp: Stamp): Promise<boolean> {
    if (rows.length === 0) return true;
    const byTopic = Map.groupBy(rows, ({ topic }) => topic);
    try {
      const topicMessages = [...byTopic].map(([topic, ofTopic]) => ({ topic, messages: ofTopic.map(messageOf) }));
      await this.sender.send(topicMessages, stamp);
    } catch (error) {
      const fault = protocolError(error) ?? '';
      if (!TOPIC_FAULTS.has(fault)) throw error;
      const [first, ...more] = byTopic.keys();
      if (more.length === 0) this.hold(first!, REASONS[fault] ?? (error as Error).message);
      else for (const topic of byTopic.keys()) this.remember(topic, this.suspects.get(topic));
      return false;
    }
    for (const [topic, { length }] of byTopic) metrics.relayed.inc({ topic }, length);
    return true;
  }

  // Moved to the end of the map, so that every suspect gets its turn.
  private remember(topic: string, suspect: Suspect = { failures: 0, retryAt: 0 }): void {
    this.suspects.delete(topic);
    this.suspects.set(topic, suspect);
    if (this.suspects.size > this.limits.suspects) this.suspects.delete(this.suspects.keys().next().value!);
  }
}

const messageOf = ({ key, payload, headers }: OutboxRow): TopicMessages['messages'][number] => ({
  key,
  value: payload,
  headers,
});
