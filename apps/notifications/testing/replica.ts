import { type UserState, userChanged, userErased, userRegistered } from '#libs/contracts';
import { createKafka, type MessagingConfig, TopicNames, uuidv7 } from '#libs/messaging';
import { CONFIG } from '#libs/service';
import { startApp, startMailbox, type TestApp, type TestMailbox } from '#libs/testing';
import { DataSource } from 'typeorm';
import { notifications } from '../src/service.js';

/** A running notifications service with a mailbox, and what its neighbours would send it. */
export interface Replica extends TestApp {
  mailbox: TestMailbox;
  sql: <T = Record<string, unknown>>(text: string, values?: unknown[]) => Promise<T[]>;
  /** Sends a raw message as the outbox relay of users would. */
  publish: (event: { type: string; topic: { name: string } }, key: string, data: unknown, id?: string) => Promise<void>;
}

/** Starts the service against a mailbox of its own; `env` of another replica makes a second one of it. */
export async function startReplica(overrides: Record<string, string> = {}): Promise<Replica> {
  const mailbox = await startMailbox();
  const running = await startApp(notifications, {
    SMTP_URL: mailbox.smtpUrl,
    MAIL_RETRY_DELAYS: '100ms,100ms,100ms,100ms',
    ...overrides,
  });
  const dataSource = running.app.get(DataSource);
  const names = running.app.get(TopicNames);
  const producer = createKafka(running.app.get<MessagingConfig>(CONFIG), 'test').producer();
  await producer.connect();
  return {
    ...running,
    mailbox,
    sql: (text, values) => dataSource.query(text, values),
    publish: async ({ type, topic }, key, data, id = uuidv7()) => {
      const headers = {
        ce_id: id,
        ce_type: type,
        ce_source: '/users',
        ce_time: new Date().toISOString(),
        ce_specversion: '1.0',
        'content-type': 'application/json',
      };
      const value = data === null ? null : JSON.stringify(data);
      await producer.send({ topic: names.event(topic as never), messages: [{ key, value, headers }] });
    },
    close: async () => {
      await producer.disconnect();
      await running.close();
      await mailbox.stop();
    },
  };
}

/** An account as the users service tells of it. */
export function person(changes: Partial<UserState> = {}): UserState {
  const id = uuidv7();
  return { ...userChanged.example, id, email: `${id}@example.com`, version: 1, ...changes };
}

/** Tells the service what it is told at a registration. */
export async function register(replica: Replica, user: UserState, eventId?: string): Promise<void> {
  await replica.publish(userChanged, user.id, user);
  await replica.publish(userRegistered, user.id, { userId: user.id }, eventId);
}

/** Tells the service that an account was erased. */
export const erase = (replica: Replica, userId: string) => replica.publish(userErased, userId, null);
