import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, type TransactionCommitEvent } from 'typeorm';
import { type Page, readCursor, toPage } from '#libs/http';
import { deliveryCursor, type DeliveryRow, type DeliveryView, toView } from './deliveries.schemas.js';

/** A mail that is to be sent once because of one event. */
export interface NewDelivery {
  eventId: string;
  eventTime: Date;
  template: string;
  userId: string;
}

/** A delivery that belongs to one sender until its lease ends. */
export interface Leased {
  id: string;
  template: string;
  userId: string;
  /** The present attempt, from 1. */
  attempt: number;
  /** Identifies this lease: a sender that takes over has another. */
  lease: string;
  eventTime: Date;
  /** Milliseconds since the delivery was added. */
  age: number;
}

const MARK = 'tasklaneDeliveries';

/**
 * The table `deliveries`: one row per mail, added in the transaction of the event's handler, leased by the senders of all
 * replicas. Every time is the database's, so that the clocks of replicas do not matter.
 */
@Injectable()
export class DeliveryQueue {
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly dataSource: DataSource) {
    dataSource.subscribers.push({ afterTransactionCommit: (event) => this.announce(event) });
  }

  /** Calls `listener` when rows added in this process are committed. */
  onAdded(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Adds a mail. The same event and template a second time changes nothing. */
  async add(tx: EntityManager, { eventId, eventTime, template, userId }: NewDelivery): Promise<void> {
    await tx.query(
      `INSERT INTO deliveries (event_id, event_time, template, user_id) VALUES ($1, $2, $3, $4)
       ON CONFLICT ON CONSTRAINT deliveries_event_template DO NOTHING`,
      [eventId, eventTime, template, userId],
    );
    tx.queryRunner!.data[MARK] = true;
  }

  /** Leases up to `limit` due deliveries for `duration` milliseconds. Locked rows are skipped. */
  async lease(limit: number, duration: number): Promise<Leased[]> {
    const [rows] = await this.dataSource.query<[Leased[], number]>(
      `WITH due AS MATERIALIZED (
         SELECT id FROM deliveries
         WHERE state = 'pending' AND due_at <= now() AND (leased_until IS NULL OR leased_until <= now())
         ORDER BY due_at LIMIT $1
         FOR UPDATE SKIP LOCKED
       )
       UPDATE deliveries d
       SET lease = gen_random_uuid(), leased_until = now() + $2 * interval '1 ms', attempts = attempts + 1
       FROM due WHERE d.id = due.id
       RETURNING d.id, d.template, d.user_id AS "userId", d.attempts AS attempt, d.lease, d.event_time AS "eventTime",
         (extract(epoch FROM now() - d.created_at) * 1000)::float8 AS age`,
      [limit, duration],
    );
    return rows;
  }

  /**
   * Records that the mail server accepted the mail, whoever has the lease now: that keeps others from sending
   * the mail again. Returns false when the delivery was cancelled or recorded meanwhile.
   */
  async recordSent({ id }: Leased, messageId: string, recipient: string): Promise<boolean> {
    return this.update(
      `state = 'sent', sent_at = now(), message_id = $2, recipient = $3, last_error = NULL, lease = NULL, leased_until = NULL
       WHERE id = $1 AND state = 'pending'`,
      [id, messageId, recipient],
    );
  }

  /** Ends the lease; the next attempt is due after `delay` milliseconds. */
  async retry({ id, lease }: Leased, delay: number, reason: string): Promise<boolean> {
    return this.update(
      `due_at = now() + $3 * interval '1 ms', last_error = $4, lease = NULL, leased_until = NULL
       WHERE id = $1 AND lease = $2 AND state = 'pending'`,
      [id, lease, delay, reason],
    );
  }

  /** Ends the lease without counting the attempt: nothing is wrong with the mail itself. */
  async postpone({ id, lease }: Leased, delay: number, reason: string): Promise<boolean> {
    return this.update(
      `due_at = now() + $3 * interval '1 ms', last_error = $4, attempts = attempts - 1, lease = NULL, leased_until = NULL
       WHERE id = $1 AND lease = $2 AND state = 'pending'`,
      [id, lease, delay, reason],
    );
  }

  /** Ends the delivery without a mail: `dead` until it is redriven, or `cancelled` for good. */
  async end({ id, lease }: Leased, state: 'dead' | 'cancelled', reason: string): Promise<boolean> {
    return this.update(
      `state = $3, last_error = $4, lease = NULL, leased_until = NULL
       WHERE id = $1 AND lease = $2 AND state = 'pending'`,
      [id, lease, state, reason],
    );
  }

  /** Resets the attempts of dead deliveries, those of one template or all. Returns how many. */
  async redrive(template?: string): Promise<number> {
    const [, changed] = await this.dataSource.query<[unknown[], number]>(
      `UPDATE deliveries SET state = 'pending', attempts = 0, due_at = now()
       WHERE state = 'dead' AND ($1::text IS NULL OR template = $1)`,
      [template ?? null],
    );
    return changed;
  }

  /** @throws when the database cannot answer. */
  async checkDatabase(): Promise<void> {
    await this.dataSource.query('SELECT 1');
  }

  /** Cancels this user's unsent mails and erases the personal data of the sent ones. */
  async erase(tx: EntityManager, userId: string): Promise<void> {
    await tx.query(
      `UPDATE deliveries SET recipient = NULL, last_error = NULL, lease = NULL, leased_until = NULL,
         state = CASE WHEN state = 'sent' THEN state ELSE 'cancelled' END
       WHERE user_id = $1`,
      [userId],
    );
  }

  /** A page of the mails to one user, newest first. */
  async list(userId: string, { cursor, limit }: { cursor?: string; limit: number }): Promise<Page<DeliveryView>> {
    const before = readCursor(cursor, deliveryCursor);
    const rows = await this.dataSource.query<DeliveryRow[]>(
      `SELECT id, template, state, attempts, created_at, sent_at FROM deliveries
       WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2)
       ORDER BY id DESC LIMIT $3`,
      [userId, before?.id ?? null, limit + 1],
    );
    return toPage(rows, limit, toView, ({ id }) => ({ id }));
  }

  private async update(change: string, values: unknown[]): Promise<boolean> {
    const [, changed] = await this.dataSource.query<[unknown[], number]>(`UPDATE deliveries SET ${change}`, values);
    return changed === 1;
  }

  // Also called when a savepoint is released; then the transaction is still open.
  private announce({ queryRunner }: TransactionCommitEvent): void {
    if (!queryRunner.data[MARK] || queryRunner.isTransactionActive) return;
    queryRunner.data[MARK] = false;
    for (const listener of this.listeners) listener();
  }
}
