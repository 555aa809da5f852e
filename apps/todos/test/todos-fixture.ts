import { DataSource } from 'typeorm';
import type { UserState } from '#libs/contracts';
import { uuidv7 } from '#libs/messaging';
import {
  eventHeaders,
  type JsonAnswer,
  KafkaClient,
  sendJson,
  startApp,
  startTokenIssuer,
  type TestApp,
  type TokenIssuer,
} from '#libs/testing';
import { todos } from '../src/service.js';
import { FakeNotifications } from './fake-notifications.js';
import { FakeUsers } from './fake-users.js';

/** Calls the API as one user. */
export interface Caller {
  id: string;
  send: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<JsonAnswer>;
  list: (name?: string) => Promise<{ id: string; version: number }>;
}

/** The todos service on real servers, with a substitute for users. */
export class TodosFixture {
  private constructor(
    readonly service: TestApp,
    readonly issuer: TokenIssuer,
    readonly users: FakeUsers,
    readonly notifications: FakeNotifications,
  ) {}

  static async start(overrides: Record<string, string> = {}): Promise<TodosFixture> {
    const issuer = await startTokenIssuer();
    const users = new FakeUsers();
    await users.start();
    const notifications = new FakeNotifications();
    await notifications.start();
    const env = {
      JWKS_URL: issuer.jwksUrl,
      USERS_GRPC_URL: users.address,
      NOTIFICATIONS_URL: notifications.url,
      ...overrides,
    };
    return new TodosFixture(await startApp(todos, env), issuer, users, notifications);
  }

  async close(): Promise<void> {
    await this.service.close();
    this.users.stop();
    this.notifications.stop();
    await this.issuer.stop();
  }

  get dataSource(): DataSource {
    return this.service.app.get(DataSource);
  }

  /** A user with an account; `known: false` for a token whose account users does not know. */
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

  /** All events so far that were sent of the lists `keys`, in order per list. */
  async events(...keys: string[]): Promise<{ type: string; data: Record<string, unknown> }[]> {
    const messages = await this.kafka.readAll(`${this.service.env.TOPIC_PREFIX}.todos`);
    return messages
      .filter(({ key }) => keys.includes(key))
      .map(({ headers, value }) => ({ type: headers.ce_type!, data: JSON.parse(String(value)) }));
  }

  /** Publishes as users does: the state of an account, or null for its erasure. */
  async publish(messages: { id: string; state: UserState | null; eventId?: string }[]): Promise<void> {
    const events = messages.map(({ id, state, eventId }) => ({
      key: id,
      value: state === null ? null : JSON.stringify(state),
      headers: eventHeaders(state === null ? 'user.erased' : 'user.changed', eventId),
    }));
    await this.kafka.send(`${this.service.env.TOPIC_PREFIX}.users`, ...events);
  }

  /** Publishes as other services do when what they know about somebody has changed. */
  async expire(userId: string): Promise<void> {
    const value = JSON.stringify({ userId });
    const event = { key: userId, value, headers: eventHeaders('cache.expired') };
    await this.kafka.send(`${this.service.env.TOPIC_PREFIX}.cache`, event);
  }

  private get kafka(): KafkaClient {
    return new KafkaClient(this.service.env.KAFKA_BROKERS!);
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
