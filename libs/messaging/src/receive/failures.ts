import { types } from 'node:util';
import { isDatabaseUnavailable } from '#libs/service';
import type { Message, TopicMessages } from '../kafka/kafkajs.js';
import type { Headers, Received } from '../kafka/cloud-event.js';
import { protocolError } from '../kafka/kafka.js';
import { metrics } from '../shared/metrics.js';
import { FAILURE, type Work } from './routes.js';
import type { TopicNames } from '../kafka/topics.js';

const MAX_REASON = 1000;
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

/** Sends to Kafka and resolves when all in-sync replicas have the messages. */
export interface Sends {
  send(topicMessages: TopicMessages[]): Promise<void>;
}

/**
 * Whether the same attempt may soon succeed without any intervention: no database, a deadlock (40P01), a
 * serialization failure (40001) or a lock that was not free (55P03). Such a failure does not count as an attempt.
 * A statement that took too long (57014) does count: the event may cause it, and would block its partition for ever.
 */
export function isTransient(error: Error): boolean {
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } };
  const state = String(driverError?.code ?? code);
  if (state === '57014') return false;
  return isDatabaseUnavailable(error) || ['40P01', '40001', '55P03'].includes(state);
}

export function asError(thrown: unknown): Error {
  // Not instanceof: under Jest, errors of Node's built-in modules belong to another realm.
  if (types.isNativeError(thrown)) return thrown;
  const { message } = (thrown ?? {}) as { message?: unknown };
  return new Error(typeof message === 'string' ? message : String(thrown), { cause: thrown });
}

/** Sends messages that could not be handled to retry topics with increasing delays, then to the dead letters. */
export class Failures {
  constructor(
    private readonly sender: Sends,
    private readonly names: TopicNames,
    private readonly delays: number[],
  ) {}

  /** @returns the topic it went to. @throws when Kafka did not accept it; then the message must not be skipped. */
  async later({ message, attempt, attributes: { type } }: Work, reason: unknown): Promise<string> {
    const delay = this.delays[attempt - 1];
    if (delay === undefined) {
      await this.dead([{ message, reason }]);
      return this.names.dead;
    }
    const topic = this.names.retry(attempt);
    const headers = { ...failureHeaders(message, attempt, reason), [FAILURE.due]: String(Date.now() + delay) };
    try {
      await this.sender.send([{ topic, messages: [forward(message, headers)] }]);
    } catch (error) {
      if (!TOO_LARGE.has(protocolError(error) ?? '')) throw error;
      await this.dead([{ message, reason }]);
      return this.names.dead;
    }
    metrics.retries.inc({ type });
    return topic;
  }

  async dead(letters: { message: Received; reason: unknown }[]): Promise<void> {
    for (const { message, reason } of letters) {
      const attempt = (Number(message.headers[FAILURE.attempt]) || 0) + 1;
      const headers = failureHeaders(message, attempt, reason);
      await this.sendOrCut({ topic: this.names.dead, messages: [forward(message, headers)] }, headers);
      metrics.deadLetters.inc({ topic: message.topic });
    }
  }

  /** A message of its topic's maximum size is too large once a reason is added; the shortened one says where the whole one is. */
  private async sendOrCut(letter: TopicMessages, headers: Headers): Promise<void> {
    try {
      await this.sender.send([letter]);
    } catch (error) {
      if (!TOO_LARGE.has(protocolError(error) ?? '')) throw error;
      const kept = Object.entries(headers).filter(([name]) => name.startsWith('tasklane-'));
      const reason = `${headers[FAILURE.reason]} (value and headers were too large to be kept)`;
      await this.sender.send([
        {
          topic: letter.topic,
          messages: [{ value: null, headers: { ...Object.fromEntries(kept), [FAILURE.reason]: reason } }],
        },
      ]);
    }
  }

  /**
   * Milliseconds of the monotonic clock at which a message of a retry topic may be handled. Bounded by the longest delay
   * from when it was read, so that a wrong wall clock delays nothing for longer than that.
   */
  dueAt({ headers, readAt }: Received): number {
    const due = Number(headers[FAILURE.due]) || 0;
    return readAt + Math.min(Math.max(due - Date.now(), 0), Math.max(...this.delays));
  }
}

function failureHeaders(message: Received, attempt: number, reason: unknown): Headers {
  const { headers, topic, partition, offset } = message;
  return {
    ...headers,
    [FAILURE.topic]: headers[FAILURE.topic] ?? topic,
    [FAILURE.partition]: headers[FAILURE.partition] ?? String(partition),
    [FAILURE.offset]: headers[FAILURE.offset] ?? offset,
    [FAILURE.attempt]: String(attempt),
    [FAILURE.reason]: reasonOf(reason),
    [FAILURE.failedAt]: new Date().toISOString(),
  };
}

const forward = ({ key, value }: Received, headers: Headers): Message => ({ key, value, headers });

// Only the message: a stack does not help the operator who redrives, and may contain confidential data.
function reasonOf(reason: unknown): string {
  return Buffer.from(asError(reason).message).subarray(0, MAX_REASON).toString('utf8');
}
