import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type Quota, type QuotaState, tooManyRequests } from '#libs/http';
import { TokenSecret } from '../keys/token-secret.js';

/** What is counted: something of a kind (`quota`), which `of` tells from others. */
export interface Limit {
  quota: Quota;
  of: string;
}

/** One that was counted, in the window that ends at `until`, as PostgreSQL prints it. */
export interface Counted {
  key: Buffer;
  until: string;
}

/** How long a replica refuses from memory before it asks the database again, in milliseconds. */
const MEMORY = 1000;
const MOST_REMEMBERED = 10_000;

/** Limits that are exact over all replicas: windows in PostgreSQL that begin with the first that is counted. See ADR 18. */
@Injectable()
export class Limits {
  private readonly exhausted = new Map<string, { state: QuotaState; at: number }>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly secret: TokenSecret,
  ) {}

  /** Refuses from memory, so that what is known to be exhausted costs nothing. @throws Problem 429 */
  assertOpen(limits: Limit[]): void {
    for (const limit of limits) {
      const { state, at } = this.exhausted.get(nameOf(limit)) ?? {};
      if (!state) continue;
      const age = performance.now() - at!;
      if (age < Math.min(MEMORY, state.reset)) throw tooManyRequests({ ...state, reset: state.reset - age });
      this.exhausted.delete(nameOf(limit));
    }
  }

  /** Counts one of each, in this order. @throws Problem 429 at the first that is exhausted; those before it stay counted. */
  async take(limits: Limit[]): Promise<Counted[]> {
    this.assertOpen(limits);
    const counted: Counted[] = [];
    for (const limit of limits) {
      const one = await this.count(limit);
      if (!one) throw tooManyRequests(await this.rememberExhausted(limit));
      counted.push(one);
    }
    return counted;
  }

  /** Counts one, in `tx` if it is given. Returns undefined when the limit is exhausted. */
  async count(limit: Limit, tx: EntityManager = this.dataSource.manager): Promise<Counted | undefined> {
    const key = this.keyOf(limit);
    const { most, window } = limit.quota;
    const [row] = await tx.query<{ until: string }[]>(
      `INSERT INTO limit_counts AS c (key, count, until) VALUES ($1, 1, now() + $3 * interval '1 ms')
       ON CONFLICT (key) DO UPDATE SET
         count = CASE WHEN c.until <= now() THEN 1 ELSE c.count + 1 END,
         until = CASE WHEN c.until <= now() THEN excluded.until ELSE c.until END
       WHERE c.until <= now() OR c.count < $2
       RETURNING until::text`,
      [key, most, window],
    );
    return row && { key, until: row.until };
  }

  /** Takes back what was counted, unless its window has ended. */
  async giveBack(counted: Counted[]): Promise<void> {
    for (const { key, until } of counted) {
      await this.dataSource.query('UPDATE limit_counts SET count = count - 1 WHERE key = $1 AND until = $2', [
        key,
        until,
      ]);
    }
  }

  private async rememberExhausted(limit: Limit): Promise<QuotaState> {
    const [row] = await this.dataSource.query<{ reset: number }[]>(
      'SELECT (extract(epoch FROM until - now()) * 1000)::int AS reset FROM limit_counts WHERE key = $1',
      [this.keyOf(limit)],
    );
    const state = { quota: limit.quota, remaining: 0, reset: Math.max(0, row?.reset ?? 0) };
    this.exhausted.set(nameOf(limit), { state, at: performance.now() });
    const [oldest] = this.exhausted.keys();
    if (this.exhausted.size > MOST_REMEMBERED) this.exhausted.delete(oldest!);
    return state;
  }

  private keyOf(limit: Limit): Buffer {
    return this.secret.mac('limits', Buffer.from(nameOf(limit)));
  }
}

const nameOf = ({ quota, of }: Limit) => `${quota.name} ${of}`;
