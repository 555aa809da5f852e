import { Kafka, logLevel } from 'kafkajs';
import { DataSource } from 'typeorm';
import type { UserState } from '#libs/contracts';
import { uuidv7 } from '#libs/messaging';
import { type JsonAnswer, sendJson, startApp, startTokenIssuer, type TestApp, type TokenIssuer } from '#libs/testing';
import { todos } from '../src/service.js';
import { FakeUsers } from './fake-users.js';

/** Calls the API as one user. */
export interface Caller {
  id: string;
  send: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<JsonAnswer>;
  /** Creates a list and returns it. */
  list: (name?: string) => Promise<{ id: string; version: number }>;
}

/** The todos service on real servers, with stand-ins for what it asks of users. */
export class TodosFixture {
  private constructor(
    readonly service: TestApp,
    readonly issuer: TokenIssuer,
    readonly users: FakeUsers,
  ) {}

  static async start(overrides: Record<string, string> = {}): Promise<TodosFixture> {
    const issuer = await startTokenIssuer();
    const users = new FakeUsers();
    await users.start();
    const env = { JWKS_URL: issuer.jwksUrl, USERS_GRPC_URL: users.address, ...overrides };
    return new TodosFixture(await startApp(todos, env), issuer, users);
  }

  async close(): Promise<void> {
    await this.service.close();
    this.users.stop();
    await this.issuer.stop();
  }

  get dataSource(): DataSource {
    return this.service.app.get(DataSource);
  }

  /** Somebody with an account; `known: false` for a token whose account users does not know. */
  async user({ known = true }: { known?: boolean } = {}): Promise<Caller> {
    const id = uuidv7();
    if (known) this.users.add(id);
    return this.caller(id, await this.issuer.token(id));
  }

  caller(id: string, token: string | undefined): Caller {
    const send: Caller['send'] = (method, path, body, headers) =>
      sendJson(method, `${this.service.url}/api/v1${path}`, { token, body, headers });
    const list = async (name = 'Groceries') => {
      const { status, body } = await send('POST', '/lists', { name });
      if (status !== 201) throw new Error(`no list: ${JSON.stringify(body)}`);
      return body;
    };
    return { id, send, list };
  }

  /** What was put in the outbox or sent since the beginning, for the list `key`, in order. */
  async events(key: string): Promise<{ type: string; data: Record<string, unknown> }[]> {
    const { KAFKA_BROKERS, TOPIC_PREFIX } = this.service.env;
    const kafka = new Kafka({ brokers: [KAFKA_BROKERS!], logLevel: logLevel.NOTHING });
    const topic = `${TOPIC_PREFIX}.todos`;
    const admin = kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    const consumer = kafka.consumer({ groupId: uuidv7(), maxWaitTimeInMs: 50 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const found: { type: string; data: Record<string, unknown> }[] = [];
    const missing = new Set(ends.filter(({ high, low }) => high !== low).map(({ partition }) => partition));
    await new Promise<void>((resolve, reject) => {
      if (missing.size === 0) return resolve();
      consumer
        .run({
          eachMessage: async ({ partition, message }) => {
            const type = message.headers!.ce_type!.toString();
            if (message.key!.toString() === key) found.push({ type, data: JSON.parse(message.value!.toString()) });
            const end = ends.find((offsets) => offsets.partition === partition)!;
            if (BigInt(message.offset) + 1n >= BigInt(end.high)) missing.delete(partition);
            if (missing.size === 0) resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    return found;
  }

  /** Sends what users would send: the state of an account, or null for its erasure. */
  async publish(messages: { id: string; state: UserState | null; eventId?: string }[]): Promise<void> {
    const { KAFKA_BROKERS, TOPIC_PREFIX } = this.service.env;
    const producer = new Kafka({ brokers: [KAFKA_BROKERS!], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({
      topic: `${TOPIC_PREFIX}.users`,
      messages: messages.map(({ id, state, eventId = uuidv7() }) => ({
        key: id,
        value: state === null ? null : JSON.stringify(state),
        headers: {
          ce_specversion: '1.0',
          ce_id: eventId,
          ce_type: state === null ? 'user.erased' : 'user.changed',
          ce_source: '/users',
          ce_time: new Date().toISOString(),
          'content-type': 'application/json',
        },
      })),
    });
    await producer.disconnect();
  }
}

export const userState = (id: string, changes: Partial<UserState> = {}): UserState => ({
  id,
  email: `${id}@example.com`,
  firstName: 'Ada',
  lastName: 'Lovelace',
  age: null,
  clubMember: false,
  language: 'en',
  roles: [],
  createdAt: '2026-11-01T09:00:00.000Z',
  updatedAt: '2026-11-01T09:00:00.000Z',
  version: 1,
  ...changes,
});
