import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { isDatabaseUnavailable } from '#libs/service';
import { DeliveryMetrics } from './delivery-metrics.js';
import type { Leased } from './delivery-queue.js';

/** In milliseconds. */
const PAUSE = 200;
/** How long the shutdown waits for an unavailable database. */
const LAST_WORDS = 5000;
/** How often a statement that fails is repeated. */
const MOST_TRIES = 10;

/**
 * Records outcomes of deliveries, however long the database is away: otherwise a mail that was sent would be sent
 * again.
 */
@Injectable()
export class DeliveryRecorder {
  private readonly log = new Logger('DeliveryRecorder');
  private giveUpAt = Infinity;

  constructor(private readonly metrics: DeliveryMetrics) {}

  /**
   * Runs `write`, a method of DeliveryQueue, until it succeeds, and counts the outcome. Returns false when another sender
   * has decided about the delivery meanwhile.
   */
  async record(
    { id, template }: Leased,
    outcome: 'sent' | 'retried' | 'postponed' | 'dead' | 'cancelled',
    write: () => Promise<boolean>,
  ): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        const written = await write();
        if (written) this.metrics.outcomes.inc({ template, outcome });
        else
          this.log.warn({
            message: 'the outcome of this mail has been recorded by another sender',
            deliveryId: id,
            outcome,
          });
        return written;
      } catch (error) {
        if (!isDatabaseUnavailable(error) && tries >= MOST_TRIES) throw error;
        if (performance.now() > this.giveUpAt) throw error;
        await sleep(PAUSE);
      }
    }
  }

  /** At shutdown: what cannot be recorded in five seconds is given up. */
  stop(): void {
    this.giveUpAt = performance.now() + LAST_WORDS;
  }
}
