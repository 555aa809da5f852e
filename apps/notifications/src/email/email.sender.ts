import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { CONFIG, Health, isDatabaseUnavailable } from '#libs/service';
import type { Config } from '../config.js';
import { DeliveryMetrics } from '../deliveries/delivery-metrics.js';
import { DeliveryQueue, type Leased } from '../deliveries/delivery-queue.js';
import { type Erased, type Recipient, Recipients } from '../people/recipients.service.js';
import { Mailer, MailError, SEND_LIMIT } from './mailer.js';
import { Outage } from './outage.js';
import { Templates } from './templates.js';

/** All in milliseconds. */
const LEASE = SEND_LIMIT + 15_000;
const POLL = 500;
/** The event of a person's copy comes in the same moment as the one that asks for the mail, on another topic. */
const COPY_FIRST = 50;
const COPY_MOST = 5000;
const COPY_PATIENCE = 10 * 60_000;
/** How long an end of the process waits for a database to record what was sent. */
const LAST_WORDS = 5000;

/** How often a database that answers is asked to record the same outcome. */
const MOST_TRIES = 10;

/**
 * Sends what is due: leases deliveries, hands them to the mail server, records what became of them. Any number of
 * replicas share the work. Woken when a delivery is added in this process; polling is the guarantee.
 */
@Injectable()
export class EmailSender implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('EmailSender');
  private readonly running = new Set<Promise<void>>();
  /** When each send that is under way began (monotonic). */
  private readonly sending = new Map<string, number>();
  private lookedAt = performance.now();
  private woken = false;
  private wakeUp = () => {};
  private stopping = false;
  private databaseAway = false;
  private loop: Promise<void> | undefined;

  constructor(
    private readonly queue: DeliveryQueue,
    private readonly recipients: Recipients,
    private readonly templates: Templates,
    private readonly mailer: Mailer,
    private readonly outage: Outage,
    private readonly metrics: DeliveryMetrics,
    health: Health,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    health.live('sender', () => this.fault());
    queue.onAdded(() => this.wake());
  }

  onApplicationBootstrap(): void {
    this.loop = this.run();
  }

  /** Leases nothing more and ends what is under way; what is left is for the other replicas. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.wake();
    this.outage.stop();
    await this.loop;
    await Promise.all(this.running);
  }

  /** The mail server and the database may be away as long as they like; only this process can be at fault here. */
  private fault(): string | undefined {
    const now = performance.now();
    if (!this.stopping && now - this.lookedAt > LEASE) return 'has not looked for due mails for a minute';
    if ([...this.sending.values()].some((began) => now - began > LEASE)) return 'a mail is stuck in sending';
    return undefined;
  }

  private wake(): void {
    this.woken = true;
    this.wakeUp();
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      this.lookedAt = performance.now();
      this.woken = false;
      const free = this.outage.end ? 0 : this.config.SMTP_CONNECTIONS - this.running.size;
      const leased = free > 0 ? await this.leaseUpTo(free) : 0;
      // A full batch means that there may be more; a slot that becomes free wakes the loop.
      if (leased < free || free <= 0) await this.rest(POLL);
    }
  }

  private async rest(duration: number): Promise<void> {
    if (this.woken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, duration);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async leaseUpTo(limit: number): Promise<number> {
    try {
      const leased = await this.queue.lease(limit, LEASE);
      const people = leased.length > 0 ? await this.recipients.find(leased.map(({ userId }) => userId)) : new Map();
      for (const delivery of leased) this.start(delivery, people.get(delivery.userId));
      if (this.databaseAway) this.log.log('the database is back');
      this.databaseAway = false;
      return leased.length;
    } catch (error) {
      if (!this.databaseAway) this.log.warn(`due mails cannot be read, trying on: ${(error as Error).message}`);
      this.databaseAway = true;
      await sleep(POLL);
      return 0;
    }
  }

  private start(delivery: Leased, person: Recipient | Erased | undefined): void {
    const work = this.deliver(delivery, person)
      .catch((error: unknown) => this.log.error(error))
      .finally(() => {
        this.running.delete(work);
        this.wake();
      });
    this.running.add(work);
  }

  private async deliver(delivery: Leased, person: Recipient | Erased | undefined): Promise<void> {
    if (person === 'erased') {
      await this.record(delivery, 'cancelled', () => this.queue.end(delivery, 'cancelled', 'the account was erased'));
      return;
    }
    if (person === undefined) return this.awaitCopy(delivery);
    const messageId = this.mailer.messageIdOf(delivery.id);
    const error = await this.send(delivery, person, messageId);
    if (error) return this.fail(delivery, error);
    const seconds = Math.max(Date.now() - delivery.eventTime.getTime(), 0) / 1000;
    if (await this.record(delivery, 'sent', () => this.queue.recordSent(delivery, messageId, person.email))) {
      this.metrics.latency.observe({ template: delivery.template }, seconds);
    }
  }

  private async send({ id, template }: Leased, person: Recipient, messageId: string): Promise<Error | undefined> {
    this.sending.set(id, performance.now());
    try {
      const mail = this.templates.render(template, person.language, person);
      const to = { name: `${person.firstName} ${person.lastName}`, address: person.email };
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
    await this.record(delivery, undefined, () => this.queue.postpone(delivery, delay, reason));
    // The regular poll would come late.
    setTimeout(() => this.wake(), delay).unref();
  }

  private async fail(delivery: Leased, error: Error): Promise<void> {
    const kind = error instanceof MailError ? error.kind : 'failed';
    if (kind === 'disconnected' && (await this.outage.explains(error))) {
      void this.outage.end?.then(() => this.wake());
      await this.record(delivery, undefined, () => this.queue.postpone(delivery, 0, error.message));
      return;
    }
    const delay = kind === 'refused' ? undefined : this.config.MAIL_RETRY_DELAYS[delivery.attempt - 1];
    const { id: deliveryId, template, attempt } = delivery;
    this.log.warn({ message: 'mail not accepted', deliveryId, template, attempt, kind, reason: error.message });
    if (delay === undefined) {
      await this.record(delivery, 'dead', () => this.queue.end(delivery, 'dead', error.message));
    } else {
      await this.record(delivery, 'retried', () => this.queue.retry(delivery, delay, error.message));
    }
  }

  /** Writes an outcome down, however long the database is away: forgotten, a mail that was sent would be sent again. */
  private async record(delivery: Leased, outcome: string | undefined, write: () => Promise<boolean>): Promise<boolean> {
    const { id, template } = delivery;
    let giveUpAt = Infinity;
    for (let tries = 1; ; tries++) {
      try {
        const written = await write();
        if (!written) this.log.warn({ message: 'somebody else decided about this mail', deliveryId: id, outcome });
        else if (outcome) this.metrics.outcomes.inc({ template, outcome });
        return written;
      } catch (error) {
        if (!isDatabaseUnavailable(error) && tries >= MOST_TRIES) throw error;
        if (this.stopping && giveUpAt === Infinity) giveUpAt = performance.now() + LAST_WORDS;
        if (performance.now() > giveUpAt) throw error;
        await sleep(200);
      }
    }
  }
}
