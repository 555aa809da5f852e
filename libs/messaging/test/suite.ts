import { afterAll, beforeAll } from '@jest/globals';
import { createDatabase, eventHeaders, KafkaClient, testKafka, type TopicMessage, waitFor } from '#libs/testing';
import type { Message } from 'kafkajs';
import { type Effect, effectsIn } from './effects.js';
import { type Replica, type ReplicaOptions, startReplica } from './replica.js';

/** A database, a topic prefix and replicas for one describe block, which are gone after it. */
export class Suite {
  options!: ReplicaOptions;
  replica!: Replica;
  private readonly replicas: Replica[] = [];

  constructor(private readonly given: Partial<ReplicaOptions> | ((prefix: string) => Partial<ReplicaOptions>) = {}) {
    let drop: () => Promise<void>;
    beforeAll(async () => {
      const database = await createDatabase();
      drop = database.drop;
      const { brokers, topicPrefix: prefix } = testKafka();
      const given = typeof this.given === 'function' ? this.given(prefix) : this.given;
      this.options = { databaseUrl: database.url, brokers, prefix, ...given };
      this.replica = await this.start();
    });
    afterAll(async () => {
      await Promise.all(this.replicas.map((replica) => replica.close()));
      await drop();
    });
  }

  /** One more replica on the same database and topics. */
  async start(options: Partial<ReplicaOptions> = {}): Promise<Replica> {
    const replica = await startReplica({ ...this.options, ...options });
    this.replicas.push(replica);
    return replica;
  }

  async close(replica: Replica): Promise<void> {
    this.replicas.splice(this.replicas.indexOf(replica), 1);
    await replica.close();
  }

  topic = (name: string): string => `${this.options.prefix}.${name}`;

  effects = (): Promise<Effect[]> => effectsIn(this.replica.dataSource);

  /** Waits for at least `count` effects and returns all of them. */
  effectsReach(count: number): Promise<Effect[]> {
    const reached = async () => {
      const effects = await this.effects();
      return effects.length >= count ? effects : undefined;
    };
    return waitFor(reached, { what: `${count} effects`, timeout: 30_000 });
  }

  /** Writes directly to a topic, as a foreign or faulty producer might. */
  async produce(topic: string, ...messages: Message[]): Promise<void> {
    await this.kafka.send(topic, ...messages);
  }

  /** The current contents of a topic, by partition and offset. */
  readAll = (topic: string): Promise<TopicMessage[]> => this.kafka.readAll(topic);

  /** Waits until nothing is left in the outbox and the group has committed the ends of these topics. */
  async idle(topics: string[], group = 'tests'): Promise<void> {
    await this.kafka.withAdmin((admin) => {
      const allSent = async () => {
        const [outbox] = await this.replica.dataSource.query<{ rows: number }[]>(
          'SELECT count(*)::int AS rows FROM outbox',
        );
        return outbox!.rows === 0;
      };
      const done = async () => {
        if (!(await allSent())) return false;
        const committed = await admin.fetchOffsets({ groupId: this.topic(group), topics });
        for (const { topic, partitions } of committed) {
          for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
            const offset = partitions.find((known) => known.partition === partition)?.offset;
            if (high !== '0' && offset !== high) return false;
          }
        }
        // What the handled events caused is committed by now.
        return allSent();
      };
      return waitFor(done, {
        what: `the group to reach the ends of ${topics.join(', ')}`,
        timeout: 30_000,
        interval: 100,
      });
    });
  }

  private get kafka(): KafkaClient {
    return new KafkaClient(this.options.brokers);
  }
}

/** Headers of a valid event of this suite. */
export const headersOf = (type: string, id: string): Record<string, string> => eventHeaders(type, id, '/tests');
