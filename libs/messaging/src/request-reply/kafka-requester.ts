import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { RequestDefinition } from '#libs/contracts';
import { CONFIG } from '#libs/service';
import { Kafka } from '../kafka/kafkajs.js';
import { z } from 'zod';
import { eventHeaders, jsonOf, type Received } from '../kafka/cloud-event.js';
import type { MessagingConfig } from '../shared/messaging.settings.js';
import { Sender } from '../kafka/sender.js';
import { TopicReader } from '../kafka/topic-reader.js';
import { ensureTopics, keptForReply, TopicNames } from '../kafka/topics.js';

/** There was no reply in time. The request may still be handled; its reply is ignored. */
export class RequestTimeout extends Error {}

interface Waiting {
  resolve: (reply: unknown) => void;
  reject: (error: Error) => void;
  definition: RequestDefinition;
}

/** Sends requests over Kafka and waits for the replies. Connects on first use. */
@Injectable()
export class KafkaRequester implements OnApplicationShutdown {
  private readonly waiting = new Map<string, Waiting>();
  private readonly closing = new AbortController();
  private readonly sender: Sender;
  private connecting: Promise<TopicReader> | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Pick<MessagingConfig, 'TOPIC_PARTITIONS'>,
    private readonly kafka: Kafka,
    private readonly names: TopicNames,
  ) {
    this.sender = new Sender(kafka);
  }

  /**
   * The deadline travels with the request, which is not handled once it has passed. The caller uses its monotonic clock; the
   * callee compares wall clocks, whose difference may be 5 s before it refuses live requests.
   * @param timeout milliseconds from now until the reply must be here.
   * @throws RequestTimeout; Error when the request or the reply does not match its schema, or at shutdown.
   */
  async request<Q, A>(definition: RequestDefinition<Q, A>, data: Q, { timeout }: { timeout: number }): Promise<A> {
    const question = JSON.stringify(definition.request.parse(data));
    const correlationId = randomUUID();
    const reply = Promise.withResolvers<unknown>();
    const timer = setTimeout(
      () => reply.reject(new RequestTimeout(`no reply to ${definition.name} within ${timeout} ms`)),
      timeout,
    );
    this.waiting.set(correlationId, { ...reply, definition });
    try {
      const sent = this.send(definition, correlationId, question, timeout);
      return (await Promise.race([reply.promise, sent.then(() => reply.promise)])) as A;
    } finally {
      clearTimeout(timer);
      this.waiting.delete(correlationId);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    this.closing.abort();
    for (const { reject } of this.waiting.values()) reject(new Error('the service is stopping'));
    await this.connecting?.then((reader) => reader.close()).catch(() => undefined);
    await this.sender.close();
  }

  private async send(
    definition: RequestDefinition<never, never> | RequestDefinition,
    correlationId: string,
    value: string,
    timeout: number,
  ) {
    const deadline = new Date(Date.now() + timeout).toISOString();
    this.connecting ??= this.connect();
    await (
      await this.connecting
    ).ready;
    // The caller may have given up during the connection.
    if (!this.waiting.has(correlationId)) return;
    const headers = {
      deadline,
      ...eventHeaders(definition.name, `/${this.names.group}`),
      'reply-topic': this.names.replies,
      'correlation-id': correlationId,
    };
    await this.sender.send([{ topic: definition.topic, messages: [{ key: correlationId, value, headers }] }]);
  }

  private async connect(): Promise<TopicReader> {
    await ensureTopics(this.kafka, this.config, [keptForReply(this.names.replies)], this.closing.signal);
    const reader = new TopicReader(this.kafka, {
      groupId: this.names.consumerGroup('replies'),
      topics: [this.names.replies],
      lastOf: () => 0,
      onMessage: async (message) => this.answer(message),
    });
    reader.start();
    return reader;
  }

  // Replies for other replicas, and for requests that timed out, are ignored.
  private answer({ headers, value }: Received): void {
    const waiting = this.waiting.get(headers['correlation-id'] ?? '');
    if (!waiting) return;
    try {
      const { error, data } = waiting.definition.reply.safeParse(jsonOf(value));
      if (error) throw new Error(`the reply to ${waiting.definition.name} is wrong: ${z.prettifyError(error)}`);
      waiting.resolve(data);
    } catch (error) {
      waiting.reject(error as Error);
    }
  }
}
