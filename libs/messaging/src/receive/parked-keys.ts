import { Logger } from '@nestjs/common';
import { BackgroundTask, tryLock } from '#libs/service';
import type { DataSource, EntityManager } from 'typeorm';
import type { Received } from '../kafka/cloud-event.js';
import { pause } from '../shared/backoff.js';
import { metrics } from '../shared/metrics.js';
import type { EventProcessor } from './event-processor.js';
import { asError, isTransient } from './failures.js';
import type { Routes } from './routes.js';

/** How often due keys are looked for, in milliseconds. */
const LOOK_EVERY = 5000;

interface ParkedRow extends Omit<Received, 'readAt'> {
  id: string;
  reason: string;
}

/** The oldest event of each key, if it is due; later events of the key wait for it. */
const DUE = `
  SELECT id, topic, partition, "offset", key, value, headers, reason FROM parked_events AS first
   WHERE consumer = $1 AND due_at <= now() AND NOT EXISTS (
     SELECT FROM parked_events AS older
      WHERE older.consumer = first.consumer AND older.topic = first.topic AND older.key = first.key AND older.id < first.id)
   ORDER BY id LIMIT 1`;

/** Retries parked events sequentially, in order per key; in one replica of the service at a time. */
export class ParkedKeys {
  private readonly log = new Logger('Events');
  private readonly task = new BackgroundTask((signal) => this.run(signal));

  /** @param delay milliseconds between two attempts at a key. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly consumer: string,
    private readonly routes: Routes,
    private readonly processor: EventProcessor,
    private readonly delay: number,
  ) {}

  start(): void {
    this.task.start();
  }

  close(): Promise<void> {
    return this.task.close();
  }

  private async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        while (!signal.aborted && (await this.tryNext()));
        await this.measure();
      } catch (error) {
        // Without a database there is nothing to do but wait; the event handlers log the outage.
        this.log.debug(`parked events cannot be read: ${asError(error).message}`);
      }
      await pause(Math.min(LOOK_EVERY, this.delay), signal);
    }
  }

  /** @returns whether there was an event to retry. @throws when the database cannot be reached. */
  private async tryNext(): Promise<boolean> {
    let tried: ParkedRow | undefined;
    try {
      await this.dataSource.transaction(async (tx) => {
        if (!(await tryLock(tx, `tasklane.parked.${this.consumer}`))) return;
        [tried] = await tx.query<ParkedRow[]>(DUE, [this.consumer]);
        if (tried) await this.handle(tx, tried);
      });
    } catch (thrown) {
      const error = asError(thrown);
      if (!tried || isTransient(error)) throw error;
      await this.postpone(tried, error);
    }
    return tried !== undefined;
  }

  private async handle(tx: EntityManager, { id, ...message }: ParkedRow): Promise<void> {
    const work = this.routes.find({ ...message, readAt: performance.now() });
    if (work) await this.processor.handleOne(tx, work);
    await tx.query('DELETE FROM parked_events WHERE id = $1', [id]);
    if (work) metrics.handled.inc({ type: work.attributes.type, outcome: 'handled' });
    this.log.log(`a parked event of ${message.topic} has been handled: ${message.headers.ce_id ?? ''}`);
  }

  private async postpone({ id }: ParkedRow, error: Error): Promise<void> {
    await this.dataSource.query(
      `UPDATE parked_events SET due_at = now() + $2::float8 * interval '1 ms', reason = $3 WHERE id = $1`,
      [id, this.delay, error.message.slice(0, 1000)],
    );
  }

  private async measure(): Promise<void> {
    const [counted] = await this.dataSource.query<{ keys: number }[]>(
      'SELECT count(DISTINCT (topic, key))::int AS keys FROM parked_events WHERE consumer = $1',
      [this.consumer],
    );
    metrics.parkedKeys.set(counted?.keys ?? 0);
  }
}
