import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import type { Caller } from './caller.js';
import { Devices } from './devices.service.js';
import { type Counted, type Limit, Limits } from './limits.service.js';
import type { Applicant } from './turns.service.js';

/** A login that has begun, counted as a failure from its turn on. */
export interface Login extends Applicant {
  /** Takes the count back. */
  succeeded: () => Promise<void>;
}

const QUARTER_HOUR = 900_000;

/**
 * Limits guesses and registrations, over all replicas. Known devices have a limit of their own, and are strangers beyond it, so
 * that no flood of strangers keeps them out.
 */
@Injectable()
export class Attempts {
  constructor(
    private readonly devices: Devices,
    private readonly limits: Limits,
    @Inject(CONFIG)
    private readonly config: Pick<
      Config,
      'DEVICE_FAILURES' | 'LOGIN_FAILURES_PER_ACCOUNT' | 'LOGIN_FAILURES_PER_NETWORK' | 'REGISTRATIONS_PER_NETWORK'
    >,
  ) {}

  /** `account` is the e-mail address that was given, whether it has an account or not. @throws Problem 429 */
  async login({ network, cookies }: Caller, account: string): Promise<Login> {
    const known = this.devices.recognise(cookies, account);
    const ofDevice = { name: 'login-device', most: this.config.DEVICE_FAILURES, window: QUARTER_HOUR };
    const counted = known === undefined ? undefined : await this.limits.count({ quota: ofDevice, of: known });
    if (counted) {
      return { network, account, device: known, succeeded: () => this.limits.giveBack([counted]) };
    }
    const { LOGIN_FAILURES_PER_NETWORK: perNetwork, LOGIN_FAILURES_PER_ACCOUNT: perAccount } = this.config;
    return this.stranger(network, account, [
      { quota: { name: 'login-network', ...perNetwork }, of: network },
      { quota: { name: 'login-account', ...perAccount }, of: account },
    ]);
  }

  /** @throws Problem 429 */
  registration({ network }: Caller, account: string): Applicant {
    const quota = { name: 'registration-network', ...this.config.REGISTRATIONS_PER_NETWORK };
    return this.stranger(network, account, [{ quota, of: network }]);
  }

  private stranger(network: string, account: string, limits: Limit[]): Login {
    this.limits.assertOpen(limits);
    let counted: Counted[] = [];
    return {
      network,
      account,
      device: undefined,
      // Counted before the hash, so that no two attempts at once share what is left of a limit.
      admit: async () => void (counted = await this.limits.take(limits)),
      succeeded: () => this.limits.giveBack(counted),
    };
  }
}
