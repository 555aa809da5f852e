import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { TokenSecret } from '../keys/token-secret.js';

/** Counts the mails that strangers can cause, over all pods, by the day that begins with the first. */
@Injectable()
export class MailCounts {
  constructor(
    private readonly secret: TokenSecret,
    @Inject(CONFIG) private readonly config: Pick<Config, 'MAILS_PER_ADDRESS' | 'MAILS_PER_NETWORK'>,
  ) {}

  /** Counts one mail to `address`, asked for from `network`, in the transaction that asks. Returns whether it may be sent. */
  async allow(tx: EntityManager, address: string, network: string): Promise<boolean> {
    const limits = [
      { key: this.keyOf(`address ${address}`), most: this.config.MAILS_PER_ADDRESS },
      { key: this.keyOf(`network ${network}`), most: this.config.MAILS_PER_NETWORK },
    ];
    for (const { key, most } of limits) {
      const [row] = await tx.query<{ count: number }[]>(
        `INSERT INTO mail_counts AS m (key, count, until) VALUES ($1, 1, now() + interval '1 day')
         ON CONFLICT (key) DO UPDATE SET
           count = CASE WHEN m.until <= now() THEN 1 ELSE least(m.count, $2) + 1 END,
           until = CASE WHEN m.until <= now() THEN excluded.until ELSE m.until END
         RETURNING count`,
        [key, most],
      );
      if (row!.count > most) return false;
    }
    return true;
  }

  private keyOf(what: string): Buffer {
    return this.secret.mac('mail counts', Buffer.from(what));
  }
}
