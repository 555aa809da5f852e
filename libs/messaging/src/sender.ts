import { type Kafka, Partitioners, type Producer, type TopicMessages } from 'kafkajs';

/**
 * Sends messages with acks=all through an idempotent producer, which connects when it is first needed.
 * After a failure the state of a producer is unknown, so the next send gets a new one.
 */
export class Sender {
  private producer: Promise<Producer> | undefined;

  constructor(private readonly kafka: Kafka) {}

  /** Resolves when all replicas in sync have the messages. After a rejection some, all or none of them may be stored. */
  async send(topicMessages: TopicMessages[]): Promise<void> {
    this.producer ??= this.connect();
    const used = this.producer;
    try {
      await (await used).sendBatch({ topicMessages, acks: -1, timeout: 10_000 });
    } catch (error) {
      if (this.producer === used) this.producer = undefined;
      await disconnect(used);
      throw error;
    }
  }

  async close(): Promise<void> {
    const used = this.producer;
    this.producer = undefined;
    if (used) await disconnect(used);
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

async function disconnect(producer: Promise<Producer>): Promise<void> {
  await producer.then((connected) => connected.disconnect()).catch(() => undefined);
}
