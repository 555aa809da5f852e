import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '#libs/service';
import { Kafka, type TopicMessages } from 'kafkajs';
import pg from 'pg';
import { atMost, backoff, pause } from '../shared/backoff.js';
import type { Headers } from '../kafka/cloud-event.js';
import { Housekeeping } from './housekeeping.js';
import { protocolError } from '../kafka/kafka.js';
import type { MessagingConfig } from '../shared/messaging.settings.js';
import { metrics } from '../shared/metrics.js';
import { Sender } from '../kafka/sender.js';
import { ShardLeases, SHARDS } from './shard-leases.js';

/** What is read at once; the bytes bound the memory when events are large. */
const BATCH = { rows: 1000, bytes: 4_000_000 };
const BUSY_POLL = 50;
const IDLE_POLL = 500;
const CHANNEL = 'tasklane_outbox';
const FLUSH_AT_CLOSE = 3000;
/** Far more than all time limits of one round together. */
const STUCK_AFTER = 5 * 60_000;

// What is wrong with one topic or its messages, not with the broker.
const TOPIC_FAULTS = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'POLICY_VIOLATION',
]);

interface Row {
  id: string;
  topic: string;
  key: string;
  payload: string | null;
  headers: Headers;
}

/** A topic that refuses messages: its rows wait while those of other topics flow. */
interface Suspect {
  failures: number;
  retryAt: number;
}

/**
 * Sends what is in the outbox to Kafka: read rows of the leased shards by id, send, delete. A crash between any two of
 * these steps, or a failed send, sends the same rows again with the same ce_id, which inboxes recognise.
 *
 * Rows are found by being there, never by a high-water mark: ids become visible in the order of commits, not of ids.
 * Being the only sender of a shard, and having one batch under way at a time, it keeps the order of every key.
 */
@Injectable()
export class Relay implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Relay');
  private readonly sender: Sender;
  private readonly closing = new AbortController();
  private readonly housekeeping = new Housekeeping();
  private readonly suspects = new Map<string, Suspect>();
  private wakeUp: () => void = () => undefined;
  private woken = false;
  /** Something was committed here that a relay elsewhere may have to send. */
  private news = false;
  private running: Promise<void> | undefined;
  private failing = false;
  private lastRound = performance.now();

  constructor(
    @Inject(CONFIG) private readonly config: Pick<MessagingConfig, 'DATABASE_URL'>,
    @Inject(Kafka) kafka: Kafka,
  ) {
    this.sender = new Sender(kafka);
  }

  onApplicationBootstrap(): void {
    this.running ??= this.run();
  }

  /** Sends what is committed, for a few seconds at most, and stops. */
  async onApplicationShutdown(): Promise<void> {
    this.closing.abort();
    this.look();
    await this.running;
    await this.sender.close();
  }

  /** Something was committed to the outbox: looks now instead of at the next poll, and lets the other relays look. */
  wake(): void {
    this.news = true;
    this.look();
  }

  private look(): void {
    this.woken = true;
    this.wakeUp();
  }

  /** @returns why this process should be restarted, if it should. Outages end within the time limits of each step. */
  fault(): string | undefined {
    const silent = performance.now() - this.lastRound;
    return silent > STUCK_AFTER ? `the relay has been stuck for ${Math.round(silent / 1000)} s` : undefined;
  }

  private get closed(): boolean {
    return this.closing.signal.aborted;
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.closed; failures++) {
      this.lastRound = performance.now();
      const client = this.createClient();
      try {
        await client.connect();
        const leases = await ShardLeases.join(client);
        await this.relay(client, leases, () => {
          failures = 0;
          this.report();
        });
      } catch (error) {
        this.report(error as Error);
      } finally {
        await atMost(5000, client.end());
      }
      await pause(backoff(failures, 100, 2000), this.closing.signal);
    }
  }

  private async relay(client: pg.Client, leases: ShardLeases, succeeded: () => void): Promise<void> {
    await client.query(`LISTEN ${CHANNEL}`);
    let idle = BUSY_POLL;
    let flushUntil = Infinity;
    while (!this.closed || performance.now() < flushUntil) {
      this.lastRound = performance.now();
      this.woken = false;
      await leases.balance();
      await this.housekeeping.run(client);
      await this.spread(client, leases);
      const rows = await this.read(client, leases.shards);
      const sent = rows.length > 0 ? await this.sendAll(rows) : [];
      if (sent.length > 0) await client.query('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [sent]);
      succeeded();
      if (this.closed) {
        if (rows.length === 0) return;
        flushUntil = Math.min(flushUntil, performance.now() + FLUSH_AT_CLOSE);
      } else if (sent.length > 0) {
        idle = BUSY_POLL;
      } else {
        await this.sleep(idle);
        idle = Math.min(idle * 2, IDLE_POLL);
      }
    }
  }

  /**
   * Wakes the other relays for commits of this process. One notification stands for everything since the last round, and
   * is no part of anybody's transaction: notifying transactions queue for one lock of the whole server.
   */
  private async spread(client: pg.Client, leases: ShardLeases): Promise<void> {
    if (!this.news || leases.shards.length === SHARDS) return;
    this.news = false;
    await client.query(`NOTIFY ${CHANNEL}`);
  }

  private async read(client: pg.Client, shards: number[]): Promise<Row[]> {
    if (shards.length === 0) return [];
    const now = performance.now();
    const held = [...this.suspects].filter(([, { retryAt }]) => retryAt > now).map(([topic]) => topic);
    const { rows } = await client.query<Row>({
      name: 'relay_read',
      text: `SELECT id, topic, key, payload, headers
               FROM (SELECT *, sum(octet_length(payload)) OVER (ORDER BY id) - octet_length(payload) AS bytes_before
                       FROM (SELECT id, topic, key, payload, headers FROM outbox
                              WHERE shard = ANY($1::smallint[]) AND topic <> ALL($2::text[])
                              ORDER BY id LIMIT ${BATCH.rows}) AS first_rows) AS measured
              WHERE coalesce(bytes_before, 0) < ${BATCH.bytes} ORDER BY id`,
      values: [shards, held],
    });
    return rows;
  }

  /** @returns the ids of the rows that are stored in Kafka. @throws when the broker cannot be reached. */
  private async sendAll(rows: Row[]): Promise<string[]> {
    const sent: string[] = [];
    const healthy = rows.filter(({ topic }) => !this.suspects.has(topic));
    const byTopic = Map.groupBy(rows, ({ topic }) => topic);
    if (await this.send(healthy)) sent.push(...healthy.map(({ id }) => id));
    for (const topic of this.suspects.keys()) {
      const suspected = byTopic.get(topic);
      if (suspected && (await this.send(suspected))) {
        this.suspects.delete(topic);
        sent.push(...suspected.map(({ id }) => id));
      }
    }
    return sent;
  }

  /** @returns false when a topic refused; then each topic of the rows is tried alone from now on. */
  private async send(rows: Row[]): Promise<boolean> {
    if (rows.length === 0) return true;
    const byTopic = Map.groupBy(rows, ({ topic }) => topic);
    try {
      await this.sender.send([...byTopic].map(([topic, ofTopic]) => ({ topic, messages: ofTopic.map(messageOf) })));
    } catch (error) {
      if (!TOPIC_FAULTS.has(protocolError(error) ?? '')) throw error;
      for (const topic of byTopic.keys()) this.suspect(topic, byTopic.size === 1, error as Error);
      return false;
    }
    for (const [topic, { length }] of byTopic) metrics.relayed.inc({ topic }, length);
    return true;
  }

  private suspect(topic: string, alone: boolean, error: Error): void {
    const suspect = this.suspects.get(topic) ?? { failures: 0, retryAt: 0 };
    this.suspects.set(topic, suspect);
    if (!alone) return;
    if (suspect.failures === 0) this.log.error(`topic ${topic} takes no messages, they wait: ${error.message}`);
    suspect.retryAt = performance.now() + backoff(suspect.failures++, 500, 60_000);
  }

  private async sleep(milliseconds: number): Promise<void> {
    if (this.woken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private createClient(): pg.Client {
    const client = new pg.Client({
      connectionString: this.config.DATABASE_URL,
      application_name: 'tasklane-relay',
      connectionTimeoutMillis: 3000,
      // On this side too: a connection that went dead without a word must not hang the loop.
      query_timeout: 15_000,
      keepAlive: true,
      // When this node vanishes, the server ends the session within seconds and another relay takes the shards.
      options: '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3',
    });
    // Without a listener the loss of an idle connection would end the process; the next query reports it.
    client.on('error', () => this.look());
    client.on('notification', () => this.look());
    return client;
  }

  private report(error?: Error): void {
    if (!error && this.failing) this.log.log('events flow again');
    if (error && !this.failing) this.log.warn(`events wait in the outbox: ${error.message}`);
    this.failing = error !== undefined;
  }
}

const messageOf = ({ key, payload, headers }: Row): TopicMessages['messages'][number] => ({
  key,
  value: payload,
  headers,
});
