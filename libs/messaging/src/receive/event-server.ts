import { Inject, Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import type { Topic } from '#libs/contracts';
import { CONFIG, databaseAnswers, Health } from '#libs/service';
import { Kafka } from '../kafka/kafkajs.js';
import { isObservable, lastValueFrom } from 'rxjs';
import { DataSource } from 'typeorm';
import { atMost, Semaphore } from '../shared/backoff.js';
import { BroadcastConsumer } from './broadcast-consumer.js';
import { ConsumerWatch, type Watched } from './consumer-watch.js';
import type { EventContext } from './event-context.js';
import { EventProcessor } from './event-processor.js';
import { Failures } from './failures.js';
import { Freshness } from './freshness.js';
import { GroupConsumer } from './group-consumer.js';
import { ParkedKeys } from './parked-keys.js';
import { Parking } from './parking.js';
import { passHandlerErrors } from './handler-errors.js';
import type { MessagingConfig } from '../shared/messaging.settings.js';
import { MESSAGING, type MessagingOptions } from '../shared/messaging.tokens.js';
import { Outbox } from '../send/outbox.js';
import { Progress } from './progress.js';
import { Relay } from '../send/relay.js';
import { type HandlerOptions, Routes } from './routes.js';
import { Sender } from '../kafka/sender.js';
import { ensureTopics, keptForRedrive, keptForReply, TopicNames, type WantedTopic } from '../kafka/topics.js';

/**
 * Nest's transport for events: calls methods with @OnEvent and @OnRequest for messages that arrive over
 * Kafka. Connect it with `app.connectMicroservice({ strategy: app.get(EventServer) })`; it starts at once
 * and reaches Kafka in the background, so HTTP never waits for a broker.
 */
@Injectable()
export class EventServer extends Server implements CustomTransportStrategy {
  // Without an id, Nest would register the handlers of every transport here, including gRPC's.
  override transportId = Symbol('tasklane-events');
  override readonly propagatesEventHandlerErrors = true;
  private readonly progress = new Progress();
  private readonly routes: Routes;
  private readonly broadcast: Routes;
  private readonly sender: Sender;
  private readonly closing = new AbortController();
  private consumer: GroupConsumer | undefined;
  private broadcastConsumer: BroadcastConsumer | undefined;
  private parkedKeys: ParkedKeys | undefined;
  private readonly watches: ConsumerWatch[] = [];
  private readonly freshnesses: Freshness[] = [];
  private starting: Promise<void> = Promise.resolve();

  constructor(
    @Inject(CONFIG) private readonly config: MessagingConfig,
    @Inject(MESSAGING) private readonly options: MessagingOptions,
    private readonly names: TopicNames,
    private readonly kafka: Kafka,
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
    private readonly relay: Relay,
    private readonly health: Health,
    modules: ModulesContainer,
  ) {
    super();
    passHandlerErrors(modules);
    this.routes = new Routes(names, options.events, options.requests);
    this.broadcast = new Routes(names, options.events, options.requests);
    this.sender = new Sender(kafka);
  }

  /** Called by Nest for every handler. Several handlers of one event run one after the other, in one transaction. */
  override addHandler(
    pattern: string,
    callback: MessageHandler,
    isEventHandler = false,
    extras: HandlerOptions = {},
  ): void {
    const handler = async (data: unknown, context: EventContext): Promise<unknown> => {
      const result: unknown = await callback(data, context);
      return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
    };
    if (!isEventHandler) this.routes.addRequest(pattern, handler);
    else if (extras.broadcast) this.broadcast.addEvent(pattern, handler, extras);
    else this.routes.addEvent(pattern, handler, extras);
    this.messageHandlers.set(pattern, callback);
  }

  /** Says whether what this replica keeps in memory follows the broadcasts of `topic`, which it handles, `within` so many ms. */
  freshness(topic: Topic, within: number): Freshness {
    const positions = () => this.broadcastConsumer?.reader.positions;
    const freshness = new Freshness(this.kafka, this.names.event(topic), within, positions);
    this.freshnesses.push(freshness);
    return freshness;
  }

  listen(callback: () => void): void {
    this.health.live('events', () => this.fault());
    this.starting = this.start();
    callback();
  }

  private async start(): Promise<void> {
    if (this.broadcast.topics.length > 0) {
      this.broadcastConsumer = new BroadcastConsumer(this.kafka, this.names, this.broadcast);
      this.health.ready('broadcasts', () => this.broadcastConsumer?.lag);
    }
    const existing = await ensureTopics(this.kafka, this.config, this.wantedTopics(), this.closing.signal);
    if (this.closing.signal.aborted) return;
    if (this.broadcastConsumer) this.startBroadcast(this.broadcastConsumer);
    if (this.routes.topics.length > 0) this.startConsumer(existing.filter(this.names.isRetry));
  }

  private startBroadcast(consumer: BroadcastConsumer): void {
    consumer.start();
    this.startWatch(consumer.reader, undefined, this.broadcast.topics);
  }

  private startWatch(consumer: Watched, groupId: string | undefined, topics: string[]): void {
    const watch = new ConsumerWatch(this.kafka, consumer, groupId, topics, this.progress, this.config);
    watch.start();
    this.watches.push(watch);
  }

  /** @param retries topics of this group that exist: those of stages that the settings no longer have are consumed, too. */
  private startConsumer(retries: string[]): void {
    const { kafka, names, config } = this;
    const groupId = names.consumerGroup();
    const topics = [...new Set([...this.routes.topics, ...names.retries, ...retries])];
    const failures = new Failures(this.sender, names, config.EVENT_RETRY_DELAYS);
    const parkedFor = Math.max(...config.EVENT_RETRY_DELAYS);
    const processor = new EventProcessor(
      this.dataSource,
      names.group,
      this.outbox,
      this.progress,
      new Parking(names.group),
      parkedFor,
    );
    this.parkedKeys = new ParkedKeys(this.dataSource, names.group, this.routes, processor, parkedFor);
    this.parkedKeys.start();
    this.consumer = new GroupConsumer(kafka, groupId, topics, {
      routes: this.routes,
      processor,
      failures,
      parkAfter: config.EVENT_ORDERED_STUCK_AFTER,
      slots: new Semaphore(Math.max(Math.floor(config.DATABASE_POOL_SIZE / 2), 1)),
      databaseAnswers: () => databaseAnswers(this.dataSource),
    });
    this.consumer.start();
    this.startWatch(this.consumer, groupId, topics);
  }

  /** Lets running handlers finish, commits their offsets and leaves the group. */
  async close(): Promise<void> {
    this.closing.abort();
    // Waits, but not for ever, for topics that are being created: their client would keep running after close.
    await atMost(5000, this.starting);
    await Promise.all([...this.watches, ...this.freshnesses].map((one) => one.close()));
    await Promise.all([this.consumer?.close(), this.broadcastConsumer?.close(), this.parkedKeys?.close()]);
    await this.sender.close();
  }

  private fault(): string | undefined {
    return this.relay.fault() ?? this.watches.map((watch) => watch.fault()).find(Boolean);
  }

  private wantedTopics(): WantedTopic[] {
    const { names } = this;
    const ofEvents = this.options.events.map(({ topic }): WantedTopic => ({
      name: names.event(topic),
      cleanup: topic.cleanup,
      retention: topic.retention,
      fenced: true,
    }));
    const own = [...names.retries, names.dead].map(keptForRedrive);
    const requests = this.routes.requestTopics.map(keptForReply);
    const all = [...ofEvents, ...own, ...requests];
    return [...new Map(all.map((topic) => [topic.name, topic])).values()];
  }

  on(): never {
    throw new Error('EventServer emits no events');
  }

  unwrap(): never {
    throw new Error('EventServer has no single client; inject Kafka instead');
  }
}
