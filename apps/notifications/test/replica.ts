import { type EventDefinition, type UserState, userChanged, userErased, userRegistered } from '#libs/contracts';
import { TopicNames, uuidv7 } from '#libs/messaging';
import {
  eventHeaders,
  KafkaClient,
  startApp,
  startMailbox,
  startTokenIssuer,
  type TestApp,
  type TestMailbox,
  type TokenIssuer,
  waitFor,
  Wire,
} from '#libs/testing';
import { DataSource } from 'typeorm';
import { notifications } from '../src/service.js';

/** The columns of the table deliveries that tests read. */
export interface DeliveryRecord {
  id: string;
  user_id: string;
  template: string;
  state: string;
  attempts: number;
  message_id: string | null;
  recipient: string | null;
  last_error: string | null;
  lease: string | null;
}

/** A running notifications service with a mailbox and substitutes for users. */
export interface Replica extends TestApp {
  mailbox: TestMailbox;
  smtp: Wire;
  issuer: TokenIssuer;
  sql: <T = Record<string, unknown>>(text: string, values?: unknown[]) => Promise<T[]>;
  /** Sends a message as the outbox relay of users would. */
  publish: (event: Pick<EventDefinition, 'type' | 'topic'>, key: string, data: unknown, id?: string) => Promise<void>;
  deliveries: (userId: string) => Promise<DeliveryRecord[]>;
  /** Waits until the only delivery to a user is in this state. */
  delivery: (userId: string, state: string) => Promise<DeliveryRecord>;
}

/** Starts the service against a mailbox of its own. */
export async function startReplica(overrides: Record<string, string> = {}): Promise<Replica> {
  const mailbox = await startMailbox();
  const smtp = await Wire.to(mailbox.smtpUrl);
  const issuer = await startTokenIssuer();
  const running = await startApp(notifications, {
    SMTP_URL: smtp.url,
    JWKS_URL: issuer.jwksUrl,
    MAIL_RETRY_DELAYS: '100ms,100ms,100ms,100ms',
    ...overrides,
  });
  const dataSource = running.app.get(DataSource);
  const { publish } = startUsers(running.env);
  const sql: Replica['sql'] = (text, values) => dataSource.query(text, values);
  const deliveries = (userId: string) => sql<DeliveryRecord>('SELECT * FROM deliveries WHERE user_id = $1', [userId]);
  return {
    ...running,
    mailbox,
    smtp,
    issuer,
    sql,
    publish,
    deliveries,
    delivery: (userId, state) => {
      const find = async () => {
        const [first, ...others] = await deliveries(userId);
        return others.length === 0 && first?.state === state ? first : undefined;
      };
      return waitFor(find, { what: `a delivery that is ${state}` });
    },
    close: async () => {
      await running.close();
      await Promise.all([smtp.close(), mailbox.stop(), issuer.stop()]);
    },
  };
}

/** Replaces the users service: sends events as its relay does. */
export function startUsers(env: Record<string, string>): Pick<Replica, 'publish'> {
  const names = new TopicNames(env.TOPIC_PREFIX!, 'users', 0);
  const kafka = new KafkaClient(env.KAFKA_BROKERS!);
  return {
    publish: ({ type, topic }, key, data, id) => {
      const value = data === null ? null : JSON.stringify(data);
      return kafka.send(names.event(topic), { key, value, headers: eventHeaders(type, id) });
    },
  };
}

/** An account as the users service publishes it. */
export function user(changes: Partial<UserState> = {}): UserState {
  const id = uuidv7();
  return { ...userChanged.example, id, email: `${id}@example.com`, version: 1, ...changes };
}

/** Publishes a registration. */
export async function register(replica: Pick<Replica, 'publish'>, user: UserState, eventId?: string): Promise<void> {
  await replica.publish(userChanged, user.id, user);
  await replica.publish(userRegistered, user.id, { userId: user.id }, eventId);
}

/** Publishes an erasure. */
export const erase = (replica: Pick<Replica, 'publish'>, userId: string) => replica.publish(userErased, userId, null);
