import { type Kafka, type Message, Partitioners, type Producer, type TopicMessages } from './kafkajs.js';

/** kafkajs puts what one call sends to a partition into one record batch, and brokers reject batches over 1 MB. */
const MAX_BATCH = 700_000;
const RECORD_OVERHEAD = 50;

/**
 * Sends messages with acks=all through an idempotent producer, which connects when it is first needed.
 * After a failure the state of a producer is unknown, so the next send gets a new one.
 */
export class Sender {
  private producer: Promise<Producer> | undefined;

  constructor(private readonly kafka: Kafka) {}

  /**
   * Resolves when all in-sync replicas have the messages. After a rejection some, all or none of them may be stored.
   * @param stamp called before each request for the timestamp of its messages, in milliseconds since 1970.
   */
  async send(topicMessages: TopicMessages[], stamp?: () => Promise<string>): Promise<void> {
    await this.use(async (producer) => {
      for (const batch of batchesOf(topicMessages)) {
        const timestamp = await stamp?.();
        if (timestamp) for (const { messages } of batch) for (const message of messages) message.timestamp = timestamp;
        await producer.sendBatch({ topicMessages: batch, acks: -1, timeout: 10_000 });
      }
    });
  }

  /** Resolves when Kafka was reached since the last failure. */
  async ready(): Promise<void> {
    await this.use(async () => undefined);
  }

  async close(): Promise<void> {
    const used = this.producer;
    this.producer = undefined;
    if (used) await disconnect(used);
  }

  private async use(work: (producer: Producer) => Promise<void>): Promise<void> {
    this.producer ??= this.connect();
    const used = this.producer;
    try {
      await work(await used);
    } catch (error) {
      if (this.producer === used) this.producer = undefined;
      await disconnect(used);
      throw error;
    }
  }

  private async connect(): Promise<Producer> {
    const producer = this.kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 2 },
    });
    await producer.connect();
    return producer;
  }
}

/** The same messages in the same order, in batches small enough even if all are for one partition. */
export function batchesOf(topicMessages: TopicMessages[]): TopicMessages[][] {
  const batches: TopicMessages[][] = [];
  let room = 0;
  for (const { topic, messages } of topicMessages) {
    let current: Message[] | undefined;
    for (const message of messages) {
      const size = sizeOf(message);
      if (batches.length === 0 || size > room) {
        batches.push([]);
        room = MAX_BATCH;
        current = undefined;
      }
      if (!current) batches.at(-1)!.push({ topic, messages: (current = []) });
      current.push(message);
      room -= size;
    }
  }
  return batches;
}

function sizeOf({ key, value, headers = {} }: Message): number {
  let size = RECORD_OVERHEAD + lengthOf(key) + lengthOf(value);
  for (const [name, text] of Object.entries(headers)) size += name.length + lengthOf(text as string) + 2;
  return size;
}

const lengthOf = (data: Buffer | string | null | undefined): number => (data ? Buffer.byteLength(data) : 0);

async function disconnect(producer: Promise<Producer>): Promise<void> {
  await producer.then((connected) => connected.disconnect()).catch(() => undefined);
}
