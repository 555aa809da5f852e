import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { DataSource, EntityManager } from 'typeorm';
import { z } from 'zod';
import { eventHeaders } from '../kafka/cloud-event.js';
import { EventContext } from './event-context.js';
import { metrics } from '../shared/metrics.js';
import type { Outbox } from '../send/outbox.js';
import type { Progress } from './progress.js';
import type { Parking } from './parking.js';
import type { Handler, Work } from './routes.js';

type Outcome = 'handled' | 'duplicate' | 'expired' | 'parked';

const tracer = trace.getTracer('tasklane-messaging');

/** Runs handlers so that effect and inbox mark are in one transaction: no event is handled twice. */
export class EventProcessor {
  constructor(
    private readonly dataSource: DataSource,
    private readonly consumer: string,
    private readonly outbox: Pick<Outbox, 'addReply'>,
    private readonly progress: Progress,
    private readonly parking: Parking,
    /** Milliseconds between two attempts at a parked key. */
    private readonly parkedFor: number,
  ) {}

  /** Handles all in one transaction, sequentially. @throws what a handler or the database threw, after rolling everything back. */
  async handle(works: Work[]): Promise<void> {
    const outcomes = new Map<Work, Outcome>();
    await this.dataSource.transaction(async (tx) => {
      const fresh = await this.enter(tx, works);
      const behind = await this.parking.behindParked(tx, fresh);
      for (const work of fresh) {
        if (behind.has(work)) await this.parking.add(tx, work, 'an earlier event of its key is parked', 0);
        outcomes.set(work, behind.has(work) ? 'parked' : await this.handleOne(tx, work));
      }
    });
    for (const work of works) this.count(work, outcomes.get(work) ?? 'duplicate');
  }

  /**
   * Marks the events in the inbox and returns those that were not marked yet. Waits for another consumer that is handling
   * one of them, which also keeps the order when a partition is reassigned.
   */
  private async enter(tx: EntityManager, works: Work[]): Promise<Work[]> {
    const rows = await this.insert(tx, works);
    const fresh = new Set(rows.map(({ event_id }) => event_id));
    // delete returns true once per id, even if this batch contains an event twice.
    return works.filter(({ inboxId }) => fresh.delete(inboxId));
  }

  private async insert(tx: EntityManager, works: Work[]): Promise<{ event_id: string }[]> {
    const inserting = tx.query<{ event_id: string }[]>(
      `INSERT INTO inbox (consumer, event_id) SELECT $1, unnest($2::text[])
       ON CONFLICT DO NOTHING RETURNING event_id`,
      [this.consumer, works.map(({ inboxId }) => inboxId)],
    );
    // The statement timeout: another consumer takes long over the same event, which is not a failure of this attempt.
    return inserting.catch((error: { driverError?: { code?: string } }) => {
      throw error.driverError?.code === '57014'
        ? Object.assign(new Error('the inbox is busy'), { code: '55P03' })
        : error;
    });
  }

  /** Parks an event of an ordered handler, and with it the later ones of its key. */
  async park(work: Work, reason: string): Promise<void> {
    await this.dataSource.transaction(async (tx) => {
      if ((await this.enter(tx, [work])).length > 0) await this.parking.add(tx, work, reason, this.parkedFor);
    });
    this.count(work, 'parked');
  }

  /** Runs the handlers of an event that is not in the inbox yet, or is parked. */
  async handleOne(tx: EntityManager, work: Work): Promise<Outcome> {
    // Checked as late as possible: the message may have waited for its partition, a retry or a connection.
    if (work.reply && work.reply.expiresAt < Date.now()) return 'expired';
    const eventContext = new EventContext(work.attributes, work.message, work.attempt, tx);
    const parent = propagation.extract(context.active(), work.message.headers);
    await tracer.startActiveSpan(
      `process ${work.attributes.type}`,
      { kind: SpanKind.CONSUMER },
      parent,
      async (span) => {
        try {
          for (const handler of work.handlers) await this.run(handler, work, eventContext);
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
          throw error;
        } finally {
          span.end();
        }
      },
    );
    return 'handled';
  }

  private async run(handler: Handler, work: Work, eventContext: EventContext): Promise<void> {
    const ended = this.progress.handlerStarted(work.attributes.type);
    try {
      const answer = await handler(work.data, eventContext);
      if (work.reply) await this.answer(eventContext.tx, work.reply, answer);
    } finally {
      ended();
    }
  }

  private async answer(tx: EntityManager, reply: NonNullable<Work['reply']>, answer: unknown): Promise<void> {
    const { topic, correlationId, definition, expiresAt } = reply;
    const { error, data } = definition.reply.safeParse(answer);
    if (error) throw new Error(`the answer to ${definition.name} is wrong: ${z.prettifyError(error)}`);
    await this.outbox.addReply(tx, {
      topic,
      key: correlationId,
      payload: JSON.stringify(data),
      headers: { ...eventHeaders(`${definition.name}.reply`, `/${this.consumer}`), 'correlation-id': correlationId },
      expiresAt: new Date(expiresAt),
    });
  }

  private count({ attributes: { type, time } }: Work, outcome: Outcome): void {
    metrics.handled.inc({ type, outcome });
    if (outcome === 'handled') metrics.latency.observe({ type }, Math.max(Date.now() - time.getTime(), 0) / 1000);
  }
}
