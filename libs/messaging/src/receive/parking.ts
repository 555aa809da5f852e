import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import type { Received } from '../kafka/cloud-event.js';
import { pause } from '../shared/backoff.js';
import { metrics } from '../shared/metrics.js';
import type { EventProcessor } from './event-processor.js';
import { asError, isTransient } from './failures.js';
import type { Routes, Work } from './routes.js';

/** How often due keys are looked for, in milliseconds. */
const LOOK_EVERY = 5000;

interface ParkedRow extends Omit<Received, 'readAt'> {
  id: string;
  reason: string;
}

const keyOf = ({ topic, key }: Pick<Received, 'topic' | 'key'>): string => JSON.stringify([topic, key]);

/**
 * Keeps ordered events that cannot be handled, with all later ones of their key, so that the other keys of the partition
 * continue. They are in the database: a row is written together with the inbox mark, and deleted together with the effect.
 */
export class Parking {
  constructor(private readonly consumer: string) {}

  /** Which of these must wait behind a parked event of their key. Call it after inserting their inbox marks. */
  async behindParked(tx: EntityManager, works: Work[]): Promise<ReadonlySet<Work>> {
    const ordered = works.filter((work) => work.ordered);
    if (ordered.length === 0) return new Set();
    const rows = await tx.query<Pick<Received, 'topic' | 'key'>[]>(
      `SELECT DISTINCT topic, key FROM parked_events WHERE consumer = $1 AND key = ANY($2::text[])`,
      [this.consumer, ordered.map(({ message }) => message.key)],
    );
    const parked = new Set(rows.map(keyOf));
    return new Set(ordered.filter(({ message }) => parked.has(keyOf(message))));
  }

  /** @param delay milliseconds until it is retried. */
  async add(tx: EntityManager, { message }: Work, reason: string, delay: number): Promise<void> {
    const { topic, partition, offset, key, value, headers } = message;
    await tx.query(
      `INSERT INTO parked_events (consumer, topic, partition, "offset", key, value, headers, reason, due_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9::float8 * interval '1 ms')`,
      [this.consumer, topic, partition, offset, key, value, JSON.stringify(headers), reason, delay],
    );
  }
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
  private readonly closing = new AbortController();
  private running: Promise<void> | undefined;

  /** @param delay milliseconds between two attempts at a key. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly consumer: string,
    private readonly routes: Routes,
    private readonly processor: EventProcessor,
    private readonly delay: number,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      try {
        while (!signal.aborted && (await this.tryNext()));
        await this.measure();
      } catch (error) {
        // Without a database there is nothing to do but wait; the event handlers log the outage.
        this.log.debug(`parked events cannot be looked at: ${asError(error).message}`);
      }
      await pause(Math.min(LOOK_EVERY, this.delay), signal);
    }
  }

  /** @returns whether there was an event to retry. @throws when the database cannot be reached. */
  private async tryNext(): Promise<boolean> {
    let tried: ParkedRow | undefined;
    try {
      await this.dataSource.transaction(async (tx) => {
        const [lock] = await tx.query<{ free: boolean }[]>(
          `SELECT pg_try_advisory_xact_lock(hashtext('tasklane.parked'), hashtext($1)) AS free`,
          [this.consumer],
        );
        if (!lock?.free) return;
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
    this.log.log(`a parked event of ${message.topic} was handled in the end: ${message.headers.ce_id ?? ''}`);
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
