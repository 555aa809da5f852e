import { randomBytes } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { bulkhead, type BulkheadPolicy, isBulkheadRejectedError } from 'cockatiel';
import { invalidInput } from '#libs/http';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { weaknessOf } from './password-rules.js';
import { tooBusy } from './passwords.errors.js';

/** OWASP's first choice for argon2id, the package's default algorithm: 19 MiB, 2 passes, 1 lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Waiting callers per hash at work; at 30 ms each the last one waits about two seconds. */
const QUEUE = 64;

/** Hashes and checks passwords, a bounded number at once: each takes 19 MiB and a core. */
@Injectable()
export class Passwords implements OnModuleInit {
  private readonly bulkhead: BulkheadPolicy;
  private decoy = '';

  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'HASH_CONCURRENCY' | 'PASSWORD_MIN_LENGTH'>) {
    this.bulkhead = bulkhead(config.HASH_CONCURRENCY, config.HASH_CONCURRENCY * QUEUE);
  }

  async onModuleInit(): Promise<void> {
    this.decoy = await this.hash(randomBytes(16).toString('hex'));
  }

  /** @throws Problem 400 when the password is too short, too long or easily guessed. */
  assertStrong(password: string, email: string): void {
    const weakness = weaknessOf(normalise(password), this.config.PASSWORD_MIN_LENGTH, email);
    if (weakness) throw invalidInput([{ path: ['password'], message: weakness }]);
  }

  /** A PHC string, `$argon2id$v=19$m=19456,t=2,p=1$…`. @throws Problem 503 when too many wait already. */
  hash(password: string): Promise<string> {
    return this.run(() => hash(normalise(password), COST));
  }

  /** Without a stored hash it does the same work in vain, so that time does not tell whether an account exists. */
  async verify(stored: string | undefined, password: string): Promise<boolean> {
    const right = await this.run(() => verify(stored ?? this.decoy, normalise(password)));
    return right && stored !== undefined;
  }

  /** Whether a hash was made with another cost than today's. */
  isOutdated(stored: string): boolean {
    const { memoryCost, timeCost, parallelism } = parseOptions(stored);
    return memoryCost !== COST.memoryCost || timeCost !== COST.timeCost || parallelism !== COST.parallelism;
  }

  private async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.bulkhead.execute(work);
    } catch (error) {
      throw isBulkheadRejectedError(error) ? tooBusy() : error;
    }
  }
}

/** One form for what keyboards and systems compose differently (NIST SP 800-63B §5.1.1.2). */
const normalise = (password: string) => password.normalize('NFKC');
