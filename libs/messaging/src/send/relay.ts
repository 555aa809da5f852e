import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BackgroundTask, CONFIG, databaseAnswers, Wakeup } from '#libs/service';
import { Kafka } from '../kafka/kafkajs.js';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { protocolError } from '../kafka/kafka.js';
import { Sender } from '../kafka/sender.js';
import { atMost, backoff, pause } from '../shared/backoff.js';
import type { MessagingConfig } from '../shared/messaging.settings.js';
import { Lane, type Stamp } from './lane.js';
import { OutboxFloor } from './outbox-floor.js';
import { type OutboxRow, readOutbox } from './outbox-rows.js';
import { ReplyLane } from './reply-lane.js';
import { ShardLeases, SHARDS } from './shard-leases.js';

const BUSY_POLL = 50;
const IDLE_POLL = 500;
const CHANNEL = 'tasklane_outbox';
const FLUSH_AT_CLOSE = 3000;
/** The longest pause before another attempt: when a server is unreachable, and when Kafka did not accept the rows. */
const PAUSE = { unreachable: 2000, notSent: 30_000 };
/** Far more than the sum of all time limits of one round. */
const STUCK_AFTER = 5 * 60_000;

class NotSent extends Error {
  /** Whether a broker answered; if none did, the rows may still be in transit. */
  readonly answered: boolean;

  constructor(cause: Error) {
    const type = protocolError(cause);
    const late = `a broker found the lease too old or too new: this process was held up, or PostgreSQL's clock is not Kafka's`;
    super(type === 'INVALID_TIMESTAMP' ? late : cause.message, { cause });
    this.answered = type !== undefined;
  }
}

/**
 * Sends what is in the outbox to Kafka: read rows of the leased shards by id, send, delete. A crash between any two of
 * these steps, or a failed send, resends the same rows with the same ce_id, which inboxes recognise.
 *
 * It reads whatever rows exist and keeps no high-water mark: ids become visible in the order of commits, not of ids.
 * Being the only sender of a shard, and having one batch under way at a time, it keeps the order of every key. What a
 * relay sends after it lost a shard is refused by the brokers: see ADR 8.
 */
@Injectable()
export class Relay implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Relay');
  private readonly sender: Sender;
  private readonly events: Lane;
  private readonly replies: ReplyLane;
  private readonly task = new BackgroundTask((signal) => this.run(signal));
  private readonly wakeup = new Wakeup();
  /** This process committed something that another relay may have to send. */
  private news = false;
  private failing = false;
  private failures = 0;
  /** When the outbox was last read, or PostgreSQL or Kafka was last unreachable. */
  private lastLife = performance.now();

  constructor(
    @Inject(CONFIG) private readonly config: Pick<MessagingConfig, 'DATABASE_URL'>,
    kafka: Kafka,
    private readonly dataSource: DataSource,
  ) {
    this.sender = new Sender(kafka);
    this.events = new Lane(this.sender);
    this.replies = new ReplyLane(kafka, this.sender);
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  /** Sends what is committed, for a few seconds at most, and stops. */
  async onApplicationShutdown(): Promise<void> {
    const closed = this.task.close();
    this.wakeup.wake();
    await closed;
    await this.sender.close();
  }

  /** Something was committed to the outbox: looks now instead of at the next poll, and lets the other relays look. */
  wake(): void {
    this.news = true;
    this.wakeup.wake();
  }

  /** @returns why this process should be restarted, if it should. An outage of Kafka or PostgreSQL is not a reason. */
  fault(now = performance.now()): string | undefined {
    const silent = now - this.lastLife;
    if (silent <= STUCK_AFTER) return undefined;
    return `the relay has not read the outbox for ${Math.round(silent / 1000)} s although Kafka and PostgreSQL answer`;
  }

  private async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let longest = PAUSE.unreachable;
      try {
        // Before any lease: a replica that cannot reach Kafka must not hold what others could send.
        await this.reachKafka();
        await this.relay();
      } catch (error) {
        if (error instanceof NotSent) longest = PAUSE.notSent;
        this.report(error as Error);
        if (!(await databaseAnswers(this.dataSource))) this.lastLife = performance.now();
      }
      await pause(backoff(this.failures++, 100, longest), signal);
    }
  }

  private async reachKafka(): Promise<void> {
    try {
      await this.sender.ready();
    } catch (error) {
      this.lastLife = performance.now();
      throw error;
    }
  }

  private async relay(): Promise<void> {
    const client = createClient(this.config.DATABASE_URL);
    // Without a listener, losing an idle connection would end the process; the next query reports it.
    client.on('error', () => this.wakeup.wake());
    client.on('notification', () => this.wakeup.wake());
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      const leases = await ShardLeases.join(client);
      try {
        await this.relayOver(client, leases);
        await leases.leave();
      } catch (error) {
        await atMost(5000, leases.leave(!(error instanceof NotSent) || error.answered));
        throw error;
      }
    } finally {
      await atMost(5000, client.end());
    }
  }

  private async relayOver(client: pg.Client, leases: ShardLeases): Promise<void> {
    const floor = new OutboxFloor(client);
    let idle = BUSY_POLL;
    let flushUntil = Infinity;
    while (!this.task.closed || performance.now() < flushUntil) {
      this.wakeup.clear();
      await leases.balance();
      await this.spread(client, leases);
      const { shards } = leases;
      await floor.raise(shards);
      const held = [...this.events.held, ...this.replies.held];
      const rows = await readOutbox(client, shards, held, floor.below(shards));
      // A relay that keeps losing its session before it may send makes no progress either.
      if (!leases.waiting) this.lastLife = performance.now();
      const sent = await this.send(rows, () => leases.stamp());
      if (sent.length > 0) await client.query('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [sent]);
      this.failures = 0;
      this.report();
      if (this.task.closed) {
        if (rows.length === 0) return;
        flushUntil = Math.min(flushUntil, performance.now() + FLUSH_AT_CLOSE);
      } else if (sent.length > 0) {
        idle = BUSY_POLL;
      } else {
        await this.wakeup.pause(idle);
        idle = Math.min(idle * 2, IDLE_POLL);
      }
    }
  }

  /**
   * Wakes the other relays for commits of this process. One notification covers everything since the last round, and
   * is sent outside the transactions: those that notify queue for one lock of the whole server.
   */
  private async spread(client: pg.Client, leases: ShardLeases): Promise<void> {
    if (!this.news || leases.shards.length === SHARDS) return;
    this.news = false;
    await client.query(`NOTIFY ${CHANNEL}`);
  }

  private async send(rows: OutboxRow[], stamp: Stamp): Promise<string[]> {
    const { events = [], replies = [] } = Object.groupBy(rows, ({ reply }) => (reply ? 'replies' : 'events'));
    try {
      return [...(await this.events.send(events, stamp)), ...(await this.replies.send(replies, stamp))];
    } catch (error) {
      throw new NotSent(error as Error);
    }
  }

  private report(error?: Error): void {
    if (!error && this.failing) this.log.log('events are sent again');
    if (error && !this.failing) this.log.warn(`events wait in the outbox: ${error.message}`);
    this.failing = error !== undefined;
  }
}

export const createClient = (connectionString: string): pg.Client =>
  new pg.Client({
    connectionString,
    application_name: 'tasklane-relay',
    connectionTimeoutMillis: 3000,
    // On the client side, too: a connection that died silently must not hang the loop.
    query_timeout: 15_000,
    keepAlive: true,
    // When this node vanishes, the server ends the session within seconds and another relay takes the shards. Keepalives
    // detect that only for an idle connection; with unacknowledged data, the user timeout applies.
    // The outbox must be read by its indexes, even with a plan that was made while it was empty.
    options: [
      'tcp_keepalives_idle=3',
      'tcp_keepalives_interval=1',
      'tcp_keepalives_count=3',
      'tcp_user_timeout=6000',
      'enable_seqscan=off',
      'enable_bitmapscan=off',
      'enable_sort=off',
    ]
      .map((option) => `-c ${option}`)
      .join(' '),
  });
