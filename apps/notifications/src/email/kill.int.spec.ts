import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Client } from 'pg';
import { userChanged, userRegistered, type UserState } from '#libs/contracts';
import { createDatabase, startMailbox, testKafka, type TestMailbox, waitFor } from '#libs/testing';
import { type DeliveryRecord, user, startUsers } from '../../test/replica.js';

const main = 'dist/apps/notifications/src/main.js';
/** Processes start slowly on a busy machine. */
const patience = { timeout: 90_000 };
const children = new Set<ChildProcess>();
const clients: Client[] = [];
let env: Record<string, string>;
let database: Awaited<ReturnType<typeof createDatabase>>;
let mailbox: TestMailbox;
let client: Client;
let users: ReturnType<typeof startUsers>;

beforeAll(async () => {
  Logger.overrideLogger(false);
  [database, mailbox] = await Promise.all([createDatabase(), startMailbox()]);
  const { brokers, topicPrefix } = testKafka();
  env = {
    PORT: '0',
    METRICS_PORT: '0',
    LOG_LEVEL: 'error',
    DRAIN_DELAY: '0ms',
    DATABASE_URL: database.url,
    KAFKA_BROKERS: brokers,
    TOPIC_PREFIX: topicPrefix,
    SMTP_URL: mailbox.smtpUrl,
  };
  await promisify(execFile)('node', [main, 'migrate'], { env: { ...process.env, ...env } });
  client = await connect();
  startProcess();
  users = startUsers(env);
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(clients.map((client) => client.end()));
  await mailbox.stop();
  await database.drop();
});

it('sends the same Message-ID again after a kill between acceptance and record', async () => {
  const holder = await connect();
  const ada = user();
  const delivery = () => deliveryTo(ada.id);
  mailbox.inject({ delay: 3000, times: 1 });
  await registerKnown(ada);
  await waitFor(async () => (await delivery())?.lease, patience);
  // Keeps the sender from recording the outcome of the mail that is under way.
  await holder.query('BEGIN');
  await holder.query('SELECT * FROM deliveries FOR UPDATE');
  const [mail] = await waitFor(async () => {
    const mails = await mailbox.client.list(ada.email);
    return mails.length > 0 ? mails : undefined;
  }, patience);
  const [killed] = children;
  killed!.kill('SIGKILL');
  await once(killed!, 'exit');
  // PostgreSQL detects a client's death only when it sends something to it.
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  await holder.query('ROLLBACK');
  expect(await delivery()).toMatchObject({ state: 'pending', attempts: 1, message_id: null });

  startProcess();
  // Ends the lease of a minute at once.
  await client.query('UPDATE deliveries SET leased_until = now()');
  await waitFor(async () => (await delivery())?.state === 'sent', patience);
  const mails = await mailbox.client.list(ada.email);
  expect(mails.map(({ MessageID }) => MessageID)).toEqual([mail!.MessageID, mail!.MessageID]);
  expect(await delivery()).toMatchObject({ attempts: 2, message_id: `<${mail!.MessageID}>` });
}, 300_000);

it('ends what is under way when it is told to stop, and records it', async () => {
  const [, running] = children;
  const ada = user();
  mailbox.inject({ delay: 2000, times: 1 });
  await registerKnown(ada);
  await waitFor(async () => (await deliveryTo(ada.id))?.lease, patience);
  running!.kill('SIGTERM');
  expect(await once(running!, 'exit')).toEqual([0, null]);
  expect(await deliveryTo(ada.id)).toMatchObject({ state: 'sent', attempts: 1, lease: null });
  expect(await mailbox.client.list(ada.email)).toHaveLength(1);
}, 300_000);

/** Registers a user whose copy has arrived: from then on a lease means a mail under way. */
async function registerKnown(user: UserState): Promise<void> {
  await users.publish(userChanged, user.id, user);
  const known = () => client.query('SELECT 1 FROM recipients WHERE id = $1', [user.id]);
  await waitFor(async () => (await known()).rowCount === 1, patience);
  await users.publish(userRegistered, user.id, { userId: user.id });
}

async function deliveryTo(userId: string): Promise<DeliveryRecord | undefined> {
  const { rows } = await client.query<DeliveryRecord>('SELECT * FROM deliveries WHERE user_id = $1', [userId]);
  return rows[0];
}

function startProcess(): ChildProcess {
  const child = spawn('node', [main], { env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] });
  children.add(child);
  return child;
}

async function connect(): Promise<Client> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  clients.push(client);
  return client;
}
