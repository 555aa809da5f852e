import { Logger } from '@nestjs/common';
import type { Kafka } from '../kafka/kafkajs.js';
import { backoff, pause } from '../shared/backoff.js';
import type { Received } from '../kafka/cloud-event.js';
import { EventContext } from './event-context.js';
import { metrics } from '../shared/metrics.js';
import type { Routes, Work } from './routes.js';
import { TopicReader } from '../kafka/topic-reader.js';
import type { TopicNames } from '../kafka/topics.js';

const TRIES = 5;

/**
 * Lets every replica handle every event of some topics, including those from before its start, to keep state in memory. Handlers must be
 * idempotent: there is no inbox. An event that cannot be handled is logged and skipped; it stays in the topic.
 */
export class BroadcastConsumer {
  private readonly log = new Logger('Broadcasts');
  readonly reader: TopicReader;

  constructor(
    kafka: Kafka,
    names: TopicNames,
    private readonly routes: Routes,
  ) {
    this.reader = new TopicReader(kafka, {
      groupId: names.consumerGroup('broadcast'),
      topics: routes.topics,
      lastOf: routes.lastOf,
      onMessage: (message) => this.handle(message),
    });
  }

  start(): void {
    this.reader.start();
  }

  async close(): Promise<void> {
    await this.reader.close();
  }

  /** Why this replica is not ready: its state in memory is older than its start. */
  get lag(): string | undefined {
    const { behind } = this.reader;
    if (behind === undefined) return 'the end offsets of the topics are not known yet';
    return behind > 0 ? `${behind} partitions have not been read to their end yet` : undefined;
  }

  private async handle(message: Received): Promise<void> {
    const work = this.find(message);
    if (!work) return;
    const { type, id } = work.attributes;
    for (let failures = 0; failures < TRIES; failures++) {
      try {
        for (const handler of work.handlers)
          await handler(work.data, new EventContext(work.attributes, message, failures + 1));
        metrics.handled.inc({ type, outcome: 'broadcast' });
        return;
      } catch (error) {
        this.log.error(
          `${type} ${id} could not be handled (try ${failures + 1} of ${TRIES}): ${(error as Error).message}`,
        );
        await pause(backoff(failures, 20, 1000));
      }
    }
    metrics.handled.inc({ type, outcome: 'failed' });
  }

  private find(message: Received): Work | undefined {
    try {
      return this.routes.find(this.routes.admit(message));
    } catch (error) {
      const position = `${message.topic}/${message.partition} offset ${message.offset}`;
      this.log.error(`${position} is skipped: ${(error as Error).message}`);
      metrics.handled.inc({ type: 'other', outcome: 'unusable' });
      return undefined;
    }
  }
}
