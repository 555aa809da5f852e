import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { freePort, type JsonAnswer, KafkaClient, sendJson, startApp, type TestApp, waitFor } from '#libs/testing';
import { CONFIG } from '#libs/service';
import type { UserView } from '../src/accounts/accounts.schemas.js';
import { grantRole } from '../src/commands/roles.command.js';
import type { Config } from '../src/config.js';
import { users } from '../src/service.js';
import type { Tokens } from '../src/sessions/sessions.schemas.js';

export interface Request {
  token?: string;
  /** A string is sent as it is. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Person extends Tokens {
  user: UserView;
}

export interface Event {
  type: string;
  key: string;
  // eslint-disable-next-line typescript/no-explicit-any -- as above
  data: any;
}

export const PASSWORD = 'correct horse battery';
export const ADMIN = 'root@example.com';

/** The users service on real servers, and the events that it publishes. */
export class UsersFixture {
  private readonly received: Event[] = [];

  private constructor(readonly service: TestApp) {}

  static async start(overrides: Record<string, string> = {}): Promise<UsersFixture> {
    const service = await startApp(users, {
      TOKEN_SECRET: randomUUID(),
      // Suites on a slow machine take longer than the default five minutes.
      ACCESS_TOKEN_TTL: '1h',
      GRPC_PORT: String(await freePort()),
      ...overrides,
    });
    return new UsersFixture(service);
  }

  close(): Promise<void> {
    return this.service.close();
  }

  get dataSource(): DataSource {
    return this.service.app.get(DataSource);
  }

  send(method: string, path: string, request: Request = {}): Promise<JsonAnswer> {
    const prefix = path.startsWith('/.well-known') ? '' : '/api/v1';
    return sendJson(method, `${this.service.url}${prefix}${path}`, request);
  }

  async register(changes: Record<string, unknown> = {}): Promise<UserView> {
    const { status, body } = await this.send('POST', '/users', { body: newUser(changes) });
    if (status !== 201) throw new Error(`not registered: ${JSON.stringify(body)}`);
    return body as UserView;
  }

  async login(email: string, password = PASSWORD): Promise<Tokens> {
    const { status, body } = await this.send('POST', '/auth/login', { body: { email, password } });
    if (status !== 200) throw new Error(`not logged in: ${JSON.stringify(body)}`);
    return body as Tokens;
  }

  /** A registered user, logged in. */
  async person(changes: Record<string, unknown> = {}): Promise<Person> {
    const user = await this.register(changes);
    return { user, ...(await this.login(user.email)) };
  }

  /** An administrator, logged in. */
  async admin(): Promise<Person> {
    const { email } = await this.register({ email: ADMIN });
    await grantRole.run(this.dataSource, this.service.app.get<Config>(CONFIG), email, 'admin');
    const tokens = await this.login(email);
    return { ...tokens, user: (await this.send('GET', '/users/me', { token: tokens.accessToken })).body as UserView };
  }

  /** Waits until `count` events of this key have come through Kafka, from all topics; in order within each topic. */
  async events(key: string, count: number): Promise<Event[]> {
    const ofKey = () => this.received.filter((event) => event.key === key);
    if (this.received.length === 0) await this.listen();
    await waitFor(() => ofKey().length >= count, { what: `${count} events of ${key}` });
    return ofKey();
  }

  private async listen(): Promise<void> {
    const topics = ['users', 'accounts', 'sessions'].map((name) => `${this.service.env.TOPIC_PREFIX}.${name}`);
    const stop = await new KafkaClient(this.service.env.KAFKA_BROKERS!).follow(topics, ({ key, value, headers }) => {
      this.received.push({ type: headers.ce_type!, key, data: value === null ? null : JSON.parse(String(value)) });
    });
    const { close } = this.service;
    this.service.close = async () => {
      await stop();
      await close();
    };
  }
}

export const newUser = (changes: Record<string, unknown> = {}) => ({
  email: `${randomUUID()}@example.com`,
  password: PASSWORD,
  firstName: 'Ada',
  lastName: 'Lovelace',
  ...changes,
});
