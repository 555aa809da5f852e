import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BackgroundTask, tryLock } from '#libs/service';
import { DataSource } from 'typeorm';
import { longestReplay } from '../kafka/topics.js';
import { pause } from '../shared/backoff.js';
import { MESSAGING, type MessagingOptions } from '../shared/messaging.tokens.js';
import { metrics } from '../shared/metrics.js';

const EVERY = 15_000;
/** Rows per transaction: few enough that it never keeps another waiting. */
const BATCH = 2000;
const BETWEEN_BATCHES = 50;
const LONGEST_BATCH = 5000;

/** Deletes one batch of inbox rows older than $1 milliseconds, oldest first. */
export const PRUNE = `
  DELETE FROM inbox WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM inbox WHERE processed_at < now() - $1::float8 * interval '1 ms'
    ORDER BY processed_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))`;

/**
 * Measures the outbox and deletes rows that are no longer needed. Separate from the relay, on pooled connections and with
 * their time limits: slow statements here do not delay events.
 */
@Injectable()
export class Retention implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Retention');
  private readonly task = new BackgroundTask((signal) => this.run(signal));
  private readonly inboxKept: number;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(MESSAGING) { events }: Pick<MessagingOptions, 'events'>,
  ) {
    this.inboxKept = longestReplay(events.map(({ topic }) => topic));
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.task.close();
  }

  private async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.measure();
        await this.dropReplies();
        while ((await this.prune()) === BATCH && !signal.aborted) await pause(BETWEEN_BATCHES, signal);
      } catch (error) {
        if (!signal.aborted) this.log.warn(`failed, the next run is in ${EVERY / 1000} s: ${(error as Error).message}`);
      }
      await pause(EVERY, signal);
    }
  }

  async dropReplies(): Promise<void> {
    const [, dropped] = await this.dataSource.query<[unknown, number]>(
      `DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE expires_at < now() FOR UPDATE SKIP LOCKED)`,
    );
    if (dropped) this.log.warn(`${dropped} replies were dropped: they could not be sent before their deadline`);
  }

  /** @returns how many rows of the inbox were removed; none while another replica is doing it. */
  async prune(): Promise<number> {
    return this.dataSource.transaction(async (tx) => {
      if (!(await tryLock(tx, 'tasklane.retention'))) return 0;
      await tx.query(`SET LOCAL statement_timeout = ${LONGEST_BATCH}`);
      const [, pruned] = await tx.query<[unknown, number]>(PRUNE, [this.inboxKept]);
      return pruned;
    });
  }

  async measure(): Promise<void> {
    const [outbox] = await this.dataSource.query<{ pending: string; age: string | null }[]>(
      `SELECT count(*) AS pending, extract(epoch FROM now() - min(created_at)) AS age
         FROM (SELECT created_at FROM outbox ORDER BY id LIMIT 100000) AS first_rows`,
    );
    metrics.outboxPending.set(Number(outbox?.pending ?? 0));
    metrics.outboxAge.set(Number(outbox?.age ?? 0));
  }
}
