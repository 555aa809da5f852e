import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { BackgroundTask, CONFIG, Health, Wakeup } from '#libs/service';
import type { Config } from '../config.js';
import { DeliveryMetrics } from '../deliveries/delivery-metrics.js';
import { DeliveryQueue, type Leased } from '../deliveries/delivery-queue.js';
import { DeliveryRecorder } from '../deliveries/delivery-recorder.js';
import { type Erased, type Recipient, Recipients } from '../recipients/recipients.service.js';
import { Mailer, MailError, SEND_LIMIT } from './mailer.js';
import { Outage } from './outage.js';
import { Templates } from './templates.js';

/** All in milliseconds. */
const POLL = 500;
/** Longer than a mail can take, with time for a restart of the database before the outcome is recorded. */
const LEASE = SEND_LIMIT + 30_000;
/** After an outage of the database, outcomes of all replicas are recorded before new leases. */
const RECORDERS_FIRST = 1000;
/** The event for the user's copy arrives at about the same time as the one for the mail, on another topic. */
const COPY_FIRST = 50;
const COPY_MOST = 5000;
const COPY_PATIENCE = 10 * 60_000;

/**
 * Sends due mails: leases deliveries, passes them to the mail server, records the outcome. Any number of
 * replicas share the work. Woken when a delivery is added in this process; polling is the guarantee.
 */
@Injectable()
export class EmailSender implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('EmailSender');
  private readonly running = new Map<string, Promise<void>>();
  /** The start of each send that is under way (monotonic). */
  private readonly sending = new Map<string, number>();
  private lookedAt = performance.now();
  private readonly task = new BackgroundTask((signal) => this.run(signal));
  private readonly wakeup = new Wakeup();
  private databaseAway = false;

  constructor(
    private readonly queue: DeliveryQueue,
    private readonly recorder: DeliveryRecorder,
    private readonly recipients: Recipients,
    private readonly templates: Templates,
    private readonly mailer: Mailer,
    private readonly outage: Outage,
    private readonly metrics: DeliveryMetrics,
    health: Health,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    health.live('sender', () => this.fault());
    queue.onAdded(() => this.wakeup.wake());
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  /** Leases nothing more and completes what is under way; the rest is left to other replicas. */
  async beforeApplicationShutdown(): Promise<void> {
    const closed = this.task.close();
    this.wakeup.wake();
    this.outage.stop();
    this.recorder.stop();
    await closed;
    await Promise.all(this.running.values());
  }

  /** An outage of the mail server or the database is no fault of this process. */
  private fault(): string | undefined {
    const now = performance.now();
    if (!this.task.closed && now - this.lookedAt > LEASE) return 'has not looked for due mails for a minute';
    if ([...this.sending.values()].some((began) => now - began > LEASE)) return 'a mail is stuck in sending';
    return undefined;
  }

  private async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.lookedAt = performance.now();
      this.wakeup.clear();
      const free = this.outage.end ? 0 : this.config.SMTP_CONNECTIONS - this.running.size;
      const leased = free > 0 ? await this.leaseUpTo(free) : 0;
      // A full batch means that there may be more; a slot that becomes free wakes the loop.
      if (leased < free || free <= 0) await this.wakeup.pause(POLL);
    }
  }

  private async leaseUpTo(limit: number): Promise<number> {
    try {
      if (this.databaseAway) await this.returnOfDatabase();
      const leased = await this.queue.lease(limit, LEASE);
      const recipients = leased.length > 0 ? await this.recipients.find(leased.map(({ userId }) => userId)) : new Map();
      for (const delivery of leased) this.start(delivery, recipients.get(delivery.userId));
      return leased.length;
    } catch (error) {
      if (!this.databaseAway) this.log.warn(`due mails cannot be read, retrying: ${(error as Error).message}`);
      this.databaseAway = true;
      await sleep(POLL);
      return 0;
    }
  }

  private async returnOfDatabase(): Promise<void> {
    await this.queue.checkDatabase();
    await sleep(RECORDERS_FIRST);
    this.databaseAway = false;
    this.log.log('due mails can be read again');
  }

  private start(delivery: Leased, recipient: Recipient | Erased | undefined): void {
    // The lease ended before the outcome was recorded, which is still to be done.
    if (this.running.has(delivery.id)) return;
    const work = this.deliver(delivery, recipient)
      .catch((error: unknown) => this.log.error(error))
      .finally(() => {
        this.running.delete(delivery.id);
        this.wakeup.wake();
      });
    this.running.set(delivery.id, work);
  }

  private async deliver(delivery: Leased, recipient: Recipient | Erased | undefined): Promise<void> {
    if (recipient === 'erased') {
      await this.recorder.record(delivery, 'cancelled', () =>
        this.queue.end(delivery, 'cancelled', 'the account was erased'),
      );
      return;
    }
    if (recipient === undefined) return this.awaitCopy(delivery);
    const messageId = this.mailer.messageIdOf(delivery.id);
    const error = await this.send(delivery, recipient, messageId);
    if (error) return this.fail(delivery, error);
    const seconds = Math.max(Date.now() - delivery.eventTime.getTime(), 0) / 1000;
    if (
      await this.recorder.record(delivery, 'sent', () => this.queue.recordSent(delivery, messageId, recipient.email))
    ) {
      this.metrics.latency.observe({ template: delivery.template }, seconds);
    }
  }

  private async send({ id, template }: Leased, recipient: Recipient, messageId: string): Promise<Error | undefined> {
    this.sending.set(id, performance.now());
    try {
      const mail = this.templates.render(template, recipient.language, recipient);
      const to = { name: `${recipient.firstName} ${recipient.lastName}`, address: recipient.email };
      await this.mailer.send({ ...mail, messageId, to });
      return undefined;
    } catch (error) {
      return error as Error;
    } finally {
      this.sending.delete(id);
    }
  }

  private async awaitCopy(delivery: Leased): Promise<void> {
    const reason = 'the account is not known here yet';
    if (delivery.age > COPY_PATIENCE) return this.fail(delivery, new Error(reason));
    const delay = Math.min(Math.max(delivery.age / 2, COPY_FIRST), COPY_MOST);
    await this.recorder.record(delivery, 'postponed', () => this.queue.postpone(delivery, delay, reason));
    // The regular poll would be late.
    setTimeout(() => this.wakeup.wake(), delay).unref();
  }

  private async fail(delivery: Leased, error: Error): Promise<void> {
    const kind = error instanceof MailError ? error.kind : 'failed';
    if (kind === 'disconnected' && (await this.outage.explains(error))) {
      void this.outage.end?.then(() => this.wakeup.wake());
      await this.recorder.record(delivery, 'postponed', () => this.queue.postpone(delivery, 0, error.message));
      return;
    }
    const delay = kind === 'refused' ? undefined : this.config.MAIL_RETRY_DELAYS[delivery.attempt - 1];
    const { id: deliveryId, template, attempt } = delivery;
    this.log.warn({ message: 'mail not accepted', deliveryId, template, attempt, kind, reason: error.message });
    if (delay === undefined) {
      await this.recorder.record(delivery, 'dead', () => this.queue.end(delivery, 'dead', error.message));
    } else {
      await this.recorder.record(delivery, 'retried', () => this.queue.retry(delivery, delay, error.message));
    }
  }
}
