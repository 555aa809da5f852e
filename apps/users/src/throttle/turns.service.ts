import { Inject, Injectable } from '@nestjs/common';
import { Counter } from 'prom-client';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { FairQueue } from './fair-queue.js';
import { tooManyWaiting } from './throttle.errors.js';

/** For whom a password is to be hashed. */
export interface Applicant {
  network: string;
  /** The e-mail address that was given, whether it has an account or not. */
  account: string;
  /** The device, when it has logged in to this account before. */
  device: string | undefined;
  /** Called at its turn, before the hash. @throws what refuses it. */
  admit?: () => Promise<void>;
}

interface Waiting {
  since: number;
  begin: () => void;
  refuse: (reason: Error) => void;
}

/** Of so many turns one is a stranger's, as long as any waits. */
const STRANGERS_SHARE = 4;

const outcomes = { served: 0, refused: 0 };
void new Counter({
  name: 'tasklane_password_turns_total',
  help: 'Passwords that were hashed (served), and requests that were refused because too many waited or too long (refused)',
  labelNames: ['outcome'],
  collect() {
    this.reset();
    for (const [outcome, count] of Object.entries(outcomes)) this.inc({ outcome }, count);
  },
});

/**
 * Whose password is hashed next: HASH_CONCURRENCY at once, others wait. Known devices wait in a queue of their own, which goes
 * first; so a flood of strangers, from however many networks, delays them by no more than what is being hashed. See ADR 13.
 */
@Injectable()
export class Turns {
  private readonly known: FairQueue<Waiting>;
  private readonly strangers: FairQueue<Waiting>;
  private running = 0;
  private knownInARow = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'HASH_CONCURRENCY' | 'HASH_QUEUE' | 'HASH_MAX_WAIT'>,
  ) {
    this.known = new FairQueue(2, config.HASH_QUEUE);
    this.strangers = new FairQueue(2, config.HASH_QUEUE);
  }

  /** Runs `work` when it is the applicant's turn. @throws Problem 429 when too many wait already, or it waited too long. */
  async run<T>(applicant: Applicant, work: () => Promise<T>): Promise<T> {
    if (this.running < this.config.HASH_CONCURRENCY) this.running += 1;
    else await this.turnOf(applicant);
    try {
      if (applicant.admit) await applicant.admit();
      outcomes.served += 1;
      return await work();
    } finally {
      this.running -= 1;
      this.beginNext();
    }
  }

  private turnOf({ network, account, device }: Applicant): Promise<void> {
    return new Promise((begin, refuse) => {
      const waiting = { since: performance.now(), begin, refuse };
      const displaced = device
        ? this.known.add(waiting, device, account)
        : this.strangers.add(waiting, network, account);
      if (displaced) this.refuse(displaced);
    });
  }

  private beginNext(): void {
    for (let next = this.next(); next; next = this.next()) {
      if (performance.now() - next.since <= this.config.HASH_MAX_WAIT) {
        this.running += 1;
        return next.begin();
      }
      this.refuse(next);
    }
  }

  private next(): Waiting | undefined {
    const isStrangersTurn = this.strangers.size > 0 && this.knownInARow >= STRANGERS_SHARE - 1;
    const known = isStrangersTurn ? undefined : this.known.next();
    this.knownInARow = known ? this.knownInARow + 1 : 0;
    return known ?? this.strangers.next();
  }

  private refuse({ refuse }: Waiting): void {
    outcomes.refused += 1;
    refuse(tooManyWaiting());
  }
}
