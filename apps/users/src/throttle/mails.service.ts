import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { Limits } from './limits.service.js';

const DAY = 86_400_000;

/** Limits the mails that strangers can cause. */
@Injectable()
export class Mails {
  constructor(
    private readonly limits: Limits,
    @Inject(CONFIG) private readonly config: Pick<Config, 'MAILS_PER_ADDRESS' | 'MAILS_PER_NETWORK'>,
  ) {}

  /** Counts one mail to `address`, asked for from `network`, in the transaction that asks. Returns whether it may be sent. */
  async allow(tx: EntityManager, address: string, network: string): Promise<boolean> {
    const toAddress = { name: 'mails-address', most: this.config.MAILS_PER_ADDRESS, window: DAY };
    const fromNetwork = { name: 'mails-network', most: this.config.MAILS_PER_NETWORK, window: DAY };
    return (
      (await this.limits.count({ quota: toAddress, of: address }, tx)) !== undefined &&
      (await this.limits.count({ quota: fromNetwork, of: network }, tx)) !== undefined
    );
  }
}
