import { type DynamicModule, Module } from '@nestjs/common';
import { events, requests } from '#libs/contracts';
import { CONFIG } from '#libs/service';
import { Kafka } from './kafka/kafkajs.js';
import { EventServer } from './receive/event-server.js';
import { createKafka } from './kafka/kafka.js';
import { KafkaRequester } from './request-reply/kafka-requester.js';
import type { MessagingConfig } from './shared/messaging.settings.js';
import { MESSAGING, type MessagingOptions } from './shared/messaging.tokens.js';
import { Outbox } from './send/outbox.js';
import { Relay } from './send/relay.js';
import { Retention } from './send/retention.js';
import { TopicNames } from './kafka/topics.js';

/** Sends and receives a service's events: provides Outbox, EventServer and KafkaRequester everywhere. Needs DatabaseModule. */
@Module({})
export class MessagingModule {
  static forRoot(options: Pick<MessagingOptions, 'group'> & Partial<MessagingOptions>): DynamicModule {
    const complete: MessagingOptions = { events, requests, ...options };
    return {
      module: MessagingModule,
      global: true,
      providers: [
        { provide: MESSAGING, useValue: complete },
        {
          provide: TopicNames,
          inject: [CONFIG],
          useFactory: ({ TOPIC_PREFIX, EVENT_RETRY_DELAYS, REPLY_TOPIC_PREFIXES }: MessagingConfig) =>
            new TopicNames(TOPIC_PREFIX, options.group, EVENT_RETRY_DELAYS.length, REPLY_TOPIC_PREFIXES),
        },
        {
          provide: Kafka,
          inject: [CONFIG],
          useFactory: (config: MessagingConfig) => createKafka(config, options.group),
        },
        Relay,
        Retention,
        Outbox,
        EventServer,
        KafkaRequester,
      ],
      exports: [Outbox, EventServer, KafkaRequester, TopicNames, Kafka],
    };
  }
}
