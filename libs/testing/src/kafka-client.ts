import { randomUUID } from 'node:crypto';
import { type Admin, type IHeaders, Kafka, type KafkaMessage, logLevel, type Message } from 'kafkajs';

export interface TopicMessage {
  topic: string;
  partition: number;
  offset: string;
  key: string;
  value: Buffer | null;
  headers: Record<string, string>;
}

export const eventHeaders = (type: string, id: string = randomUUID(), source = '/users'): Record<string, string> => ({
  ce_specversion: '1.0',
  ce_id: id,
  ce_type: type,
  ce_source: source,
  ce_time: new Date().toISOString(),
  'content-type': 'application/json',
});

/** Writes to topics and reads them independently of the code under test. */
export class KafkaClient {
  private readonly kafka: Kafka;

  /** @param brokers host:port, comma separated */
  constructor(brokers: string) {
    this.kafka = new Kafka({
      brokers: brokers.split(','),
      logLevel: logLevel.NOTHING,
      // A new topic may not have its leaders yet.
      retry: { initialRetryTime: 100, retries: 10 },
    });
  }

  async send(topic: string, ...messages: Message[]): Promise<void> {
    const producer = this.kafka.producer();
    await producer.connect();
    try {
      await producer.send({ topic, messages });
    } finally {
      await producer.disconnect();
    }
  }

  /** All records that a topic has now, by partition and offset. */
  async readAll(topic: string): Promise<TopicMessage[]> {
    const ends = await this.withAdmin((admin) => admin.fetchTopicOffsets(topic));
    const open = new Set(ends.filter(({ high, low }) => high !== low).map(({ partition }) => partition));
    if (open.size === 0) return [];
    const messages: TopicMessage[] = [];
    const all = Promise.withResolvers<void>();
    const stop = await this.follow([topic], (message) => {
      const end = ends.find(({ partition }) => partition === message.partition)!;
      if (BigInt(message.offset) < BigInt(end.high)) messages.push(message);
      if (BigInt(message.offset) + 1n >= BigInt(end.high)) open.delete(message.partition);
      if (open.size === 0) all.resolve();
    });
    await all.promise;
    await stop();
    return messages.sort((a, b) => a.partition - b.partition || Number(a.offset) - Number(b.offset));
  }

  /** Subscribes to all records of these topics, old and new. Returns what ends that. */
  async follow(topics: string[], listener: (message: TopicMessage) => void): Promise<() => Promise<void>> {
    const consumer = this.kafka.consumer({ groupId: `reader-${randomUUID()}`, maxWaitTimeInMs: 50 });
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message }) => listener(toTopicMessage(topic, partition, message)),
    });
    return () => consumer.disconnect();
  }

  async withAdmin<Result>(work: (admin: Admin) => Promise<Result>): Promise<Result> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }
}

function toTopicMessage(topic: string, partition: number, { key, value, headers, offset }: KafkaMessage): TopicMessage {
  return { topic, partition, offset, key: String(key ?? ''), value, headers: textOf(headers) };
}

const textOf = (headers: IHeaders = {}) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
