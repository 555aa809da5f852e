import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { connectionOptions } from './data-source.js';
import { PooledClient } from './pooled-client.js';

/** The statement timeout of this connection, in milliseconds: everything behind a statement waits for it. */
const STATEMENT_LIMIT = 2000;
/** The longest wait for an answer, in milliseconds; then the connection is closed and all its reads fail. */
const ANSWER_LIMIT = 4000;
const TICK = 500;

/**
 * One connection shared by the reads of many callers: each is sent without waiting for the answers to those before
 * it, and all reads of one turn of the event loop leave in one write. PostgreSQL answers them in order, so this is for
 * statements that take microseconds: a slow one delays all behind it.
 * Connects on first use, and again half a second after a loss.
 * https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class Pipeline {
  private readonly log = new Logger('Database');
  private client: PooledClient | undefined;
  private opening: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private corked: Socket | undefined;
  private failed = false;
  /** Whether there is no connection because it broke or could not be opened. */
  lost = false;
  private sent = 0;
  private answered = 0;
  /** The value of `sent` at each of the last ticks. */
  private marks: number[] = [];

  constructor(private readonly url: string) {}

  get waiting(): number {
    return this.sent - this.answered;
  }

  /**
   * @returns undefined while there is no connection.
   * @throws what pg throws; for a connection that is lost or too slow, an error that isDatabaseUnavailable recognises.
   */
  query<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> | undefined {
    const { client } = this;
    if (client === undefined) {
      this.start();
      return undefined;
    }
    this.cork(client);
    this.sent += 1;
    return new Promise((resolve, reject) => {
      let open = true;
      // pg calls back twice when it could not serialise the values.
      client.send(text, values, (error, result) => {
        if (open) this.answered += 1;
        open = false;
        if (error) reject(error);
        else resolve(result.rows as Row[]);
      });
    });
  }

  /** Closes the connection once its reads are answered, and opens another: for when its prepared statements are in doubt. */
  renew(): void {
    this.client?.end().catch(() => undefined);
    this.client = undefined;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.opening;
    await this.client?.end();
    this.client = undefined;
  }

  private start(): void {
    if (this.timer !== undefined) return;
    this.timer = setInterval(() => this.tick(), TICK).unref();
    this.open();
  }

  private open(): void {
    const client = new PooledClient({
      ...connectionOptions,
      connectionString: this.url,
      statement_timeout: STATEMENT_LIMIT,
      pipeline: true,
    });
    client.on('end', () => {
      if (this.client !== client) return;
      this.client = undefined;
      this.lost = true;
    });
    const opened = () => {
      this.client = client;
      this.marks = [];
      this.failed = false;
      this.lost = false;
    };
    const refused = (error: Error) => {
      if (!this.failed) this.log.warn(`no connection for pipelined reads, using the pool: ${error.message}`);
      this.failed = true;
      this.lost = true;
    };
    this.opening = client
      .connect()
      .then(opened, refused)
      .finally(() => (this.opening = undefined));
  }

  // Counts ticks instead of milliseconds, so that time in which this process was stopped does not count.
  private tick(): void {
    if (this.client === undefined) {
      if (this.opening === undefined) this.open();
      return;
    }
    this.marks.push(this.sent);
    if (this.marks.length <= ANSWER_LIMIT / TICK || this.answered >= this.marks.shift()!) return;
    streamOf(this.client).destroy(new Error(`Connection terminated: no answer for ${ANSWER_LIMIT} ms`));
    this.client = undefined;
    this.lost = true;
  }

  private cork(client: PooledClient): void {
    if (this.corked !== undefined) return;
    this.corked = streamOf(client);
    this.corked.cork();
    setImmediate(this.uncork);
  }

  private readonly uncork = () => {
    this.corked?.uncork();
    this.corked = undefined;
  };
}

const streamOf = (client: PooledClient) => (client as unknown as { connection: { stream: Socket } }).connection.stream;
