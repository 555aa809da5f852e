import type { EntityManager } from 'typeorm';
import type { EventAttributes, Received } from '../kafka/cloud-event.js';

/** What a handler gets besides the message's data: `@Ctx() context: EventContext`. */
export class EventContext implements EventAttributes {
  readonly id: string;
  readonly type: string;
  /** The service that sent it, such as `/users`. */
  readonly source: string;
  readonly time: Date;
  readonly key: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;

  /**
   * @param attempt 1 for the first delivery; grows with each retry topic, not with repetitions after an outage.
   * @param transaction the inbox transaction: what the handler writes through `tx` is committed together with the mark
   *   that the event is done, or not at all. Broadcast handlers have none.
   */
  constructor(
    attributes: EventAttributes,
    { key, topic, partition, offset }: Pick<Received, 'key' | 'topic' | 'partition' | 'offset'>,
    readonly attempt: number,
    private readonly transaction?: EntityManager,
  ) {
    this.id = attributes.id;
    this.type = attributes.type;
    this.source = attributes.source;
    this.time = attributes.time;
    this.key = key;
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
  }

  get tx(): EntityManager {
    if (!this.transaction) throw new Error('a broadcast handler runs outside any transaction');
    return this.transaction;
  }
}
