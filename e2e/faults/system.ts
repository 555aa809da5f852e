import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, KafkaClient, MailboxClient, query, secretsIn, waitFor } from '#libs/testing';
import type { ServerProcess } from '#local/supervise/processes.js';
import { startService } from '#local/servers/service.js';
import { type Stack, startStack } from '#local/stack.js';
import { serviceNames } from '../../scripts/services.js';
import type { Registration } from '../people.js';

export interface Mails {
  /** Addresses without a mail. */
  missing: string[];
  /** Mails with the same Message-ID as another to the same address: accepted at the time of a kill. */
  repeated: number;
  /** Addresses with mails of different Message-IDs: sent twice. */
  doubled: string[];
}

/** A stack for one suite, with access to its databases, topics and processes. */
export class System {
  readonly mailbox: MailboxClient;
  private readonly replicas: ServerProcess[] = [];

  private constructor(
    readonly stack: Stack,
    private readonly dir: string,
  ) {
    this.mailbox = new MailboxClient(stack.mailboxUrl);
  }

  static async start(settings: Record<string, string> = {}): Promise<System> {
    const dir = mkdtempSync(join(tmpdir(), 'tasklane-faults-'));
    const { NODE_ENV: _test, KAFKA_BROKERS: _theirs, ...own } = process.env;
    const env = { ...own, TOKEN_SECRET: 'a secret for tests and for nothing else', ...settings };
    const port = await freePort();
    const stack = await startStack({ dir: join(dir, 'stack'), port, mailPort: await freePort(), env });
    return new System(stack, dir);
  }

  async remove(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.kill()));
    await this.stack.stop();
    const secrets = secretsIn(this.stack.layout.logs);
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
    if (secrets.length > 0) throw new Error(`the logs hold secrets:\n${secrets.slice(0, 20).join('\n')}`);
  }

  /** Starts a second process of a service, on the same database and in the same consumer group. */
  async startReplica(name: string): Promise<ServerProcess & { url: string }> {
    const own = { http: await freePort(), metrics: await freePort(), grpc: await freePort() };
    const ports = { ...this.stack.ports, services: { ...this.stack.ports.services, [name]: own } };
    const replica = await startService(this.stack.serviceOptions(name, ports), () => {});
    this.replicas.push(replica);
    return Object.assign(replica, { url: `http://127.0.0.1:${own.http}` });
  }

  select<T>(name: string, statement: string, values?: unknown[]): Promise<T[]> {
    return query<T>(this.stack.databaseUrl(name), statement, values);
  }

  /** All rows of a service by table, in a fixed order, but for who relays what. */
  async rows(name: string): Promise<Record<string, string[]>> {
    const tables = await this.select<{ table: string }>(
      name,
      `SELECT table_name AS "table" FROM information_schema.tables
        WHERE table_schema = 'public' AND table_name <> 'relay_leases' ORDER BY 1`,
    );
    const all: Record<string, string[]> = {};
    for (const { table } of tables) {
      const rows = await this.select<{ row: string }>(name, `SELECT t::text AS row FROM "${table}" t ORDER BY 1`);
      all[table] = rows.map(({ row }) => row);
    }
    return all;
  }

  async mailsTo(people: Registration[]): Promise<Mails> {
    const ids = new Map<string, string[]>();
    for (const { To, MessageID } of await this.mailbox.list()) {
      const { Address } = To[0]!;
      ids.set(Address, [...(ids.get(Address) ?? []), MessageID]);
    }
    const mails: Mails = { missing: [], repeated: 0, doubled: [] };
    for (const { email } of people) {
      const found = ids.get(email) ?? [];
      const distinct = new Set(found).size;
      if (distinct === 0) mails.missing.push(email);
      if (distinct > 1) mails.doubled.push(email);
      mails.repeated += found.length - distinct;
    }
    return mails;
  }

  /** Waits until every user has a mail and every event was sent and handled: duplicates have arrived by then, too. */
  async settle(people: Registration[], timeout = 90_000): Promise<Mails> {
    await waitFor(async () => (await this.mailsTo(people)).missing.length === 0, {
      timeout,
      interval: 250,
      what: 'a mail to everybody',
    });
    await this.caughtUp();
    return this.mailsTo(people);
  }

  /** Waits until all outboxes are empty and no consumer group lags. */
  async caughtUp(): Promise<void> {
    for (const name of serviceNames) {
      const empty = async () => (await this.select(name, 'SELECT FROM outbox LIMIT 1')).length === 0;
      await waitFor(empty, { timeout: 30_000, what: `an empty outbox of ${name}` });
    }
    await waitFor(async () => (await this.lag()) === 0, { timeout: 60_000, interval: 200, what: 'no lag' });
  }

  private lag(): Promise<number> {
    return this.kafka().withAdmin(async (admin) => {
      let lag = 0;
      for (const { groupId } of (await admin.listGroups()).groups) {
        for (const { topic, partitions } of await admin.fetchOffsets({ groupId })) {
          const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, high]));
          for (const { partition, offset } of partitions) {
            if (Number(offset) >= 0) lag += Number(ends.get(partition)) - Number(offset);
          }
        }
      }
      return lag;
    });
  }

  /** Resets every group to the beginning of all its topics. Its members must be down. Returns topics by group. */
  rewind(): Promise<Record<string, string[]>> {
    return this.kafka().withAdmin(async (admin) => {
      const topics: Record<string, string[]> = {};
      for (const { groupId } of (await admin.listGroups()).groups) {
        const read = await admin.fetchOffsets({ groupId });
        topics[groupId] = read.map(({ topic }) => topic);
        for (const { topic, partitions } of read) {
          const first = partitions.map(({ partition }) => ({ partition, offset: '0' }));
          await admin.setOffsets({ groupId, topic, partitions: first });
        }
      }
      return topics;
    });
  }

  async produce(topic: string, value: string): Promise<void> {
    await this.kafka().send(topic, { value });
  }

  /** The first `count` messages of a topic; waits for them. */
  async read(topic: string, count: number): Promise<{ value: string; headers: Record<string, string> }[]> {
    const messages: { value: string; headers: Record<string, string> }[] = [];
    const stop = await this.kafka().follow([topic], ({ value, headers }) => {
      messages.push({ value: String(value), headers });
    });
    try {
      await waitFor(() => messages.length >= count, { what: `${count} messages in ${topic}` });
    } finally {
      await stop();
    }
    return messages;
  }

  private kafka(): KafkaClient {
    return new KafkaClient(this.stack.brokers);
  }
}
