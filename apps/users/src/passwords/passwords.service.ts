import { randomBytes } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { invalidInput } from '#libs/http';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { type Applicant, Turns } from '../throttle/turns.service.js';
import { weaknessOf } from './password-rules.js';

/** OWASP's first choice for argon2id, the package's default algorithm: 19 MiB, 2 passes, 1 lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Hashes and checks passwords, each in its turn: it takes 19 MiB and a core. */
@Injectable()
export class Passwords implements OnModuleInit {
  private decoy = '';

  constructor(
    private readonly turns: Turns,
    @Inject(CONFIG) private readonly config: Pick<Config, 'PASSWORD_MIN_LENGTH'>,
  ) {}

  async onModuleInit(): Promise<void> {
    this.decoy = await hash(randomBytes(16).toString('hex'), COST);
  }

  /** @throws Problem 400 when the password is too short, too long or easily guessed. */
  assertStrong(password: string, email: string): void {
    const weakness = weaknessOf(normalise(password), this.config.PASSWORD_MIN_LENGTH, email);
    if (weakness) throw invalidInput([{ path: ['password'], message: weakness }]);
  }

  /** A PHC string, `$argon2id$v=19$m=19456,t=2,p=1$…`. @throws Problem 429 when it is not its turn soon. */
  hash(password: string, applicant: Applicant): Promise<string> {
    return this.turns.run(applicant, () => hash(normalise(password), COST));
  }

  /**
   * Without a stored hash it does the same work in vain, so that time does not tell whether an account exists.
   * @throws Problem 429 when it is not its turn soon.
   */
  async verify(stored: string | undefined, password: string, applicant: Applicant): Promise<boolean> {
    const right = await this.turns.run(applicant, () => verify(stored ?? this.decoy, normalise(password)));
    return right && stored !== undefined;
  }

  /** Whether a hash was made with another cost than today's. */
  isOutdated(stored: string): boolean {
    const { memoryCost, timeCost, parallelism } = parseOptions(stored);
    return memoryCost !== COST.memoryCost || timeCost !== COST.timeCost || parallelism !== COST.parallelism;
  }
}

/** One form for what keyboards and systems compose differently (NIST SP 800-63B §5.1.1.2). */
const normalise = (password: string) => password.normalize('NFKC');
