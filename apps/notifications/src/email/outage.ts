import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Mailer } from './mailer.js';

/** In milliseconds. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/**
 * Distinguishes an outage of the mail server from a fault of one mail, and waits for its end: an outage costs no mail an
 * attempt, however long it lasts.
 */
@Injectable()
export class Outage {
  private readonly log = new Logger('Outage');
  private readonly stopping = new AbortController();
  private waiting: Promise<void> | undefined;

  constructor(private readonly mailer: Mailer) {}

  /** Resolves at the end of the current outage; undefined when there is none. */
  get end(): Promise<void> | undefined {
    return this.waiting;
  }

  /**
   * Whether the connection ended with `error` because of an outage. When a new connection works, the mail itself may
   * be the cause, and must not be retried for ever.
   */
  async explains(error: Error): Promise<boolean> {
    if (this.stopping.signal.aborted) return true;
    if (!this.waiting && (await this.mailer.faultOfConnection())) this.waiting ??= this.sitOut(error);
    return this.waiting !== undefined;
  }

  /** At shutdown: ends the wait, and the mails are left to other replicas. */
  stop(): void {
    this.stopping.abort();
  }

  private async sitOut({ message }: Error): Promise<void> {
    this.log.warn(`the mail server is unavailable, waiting for it: ${message}`);
    const { signal } = this.stopping;
    for (let pause = FIRST_PAUSE; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      await sleep(pause, undefined, { signal }).catch(() => undefined);
      const fault = signal.aborted ? undefined : await this.mailer.faultOfConnection();
      if (fault) this.log.debug(`the mail server is still unavailable: ${fault.message}`);
      else break;
    }
    this.waiting = undefined;
    if (!signal.aborted) this.log.log('the mail server is back');
  }
}
