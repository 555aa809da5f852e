import { Logger } from '@nestjs/common';
import type { Client } from 'pg';
import { metrics } from '../shared/metrics.js';

const EVERY = 15_000;
const SOON = 1000;
const BATCH = 2000;
/** Longer than any topic keeps an event (30 days), so that a replay of a whole topic is recognised. */
const INBOX_DAYS = 35;

/** Measures the outbox and removes what nobody needs any more, in small batches on the relay's connection. */
export class Housekeeping {
  private readonly log = new Logger('Relay');
  private next = 0;

  /** Does its work when it is due; called in every round of the relay, also when Kafka takes nothing. */
  async run(client: Client, now = performance.now()): Promise<void> {
    if (now < this.next) return;
    this.next = now + EVERY;
    await this.measure(client);
    const { rowCount: replies } = await client.query('DELETE FROM outbox WHERE expires_at < now()');
    if (replies) this.log.warn(`${replies} replies were dropped: nobody took them in time`);
    const { rowCount: pruned } = await client.query(
      `DELETE FROM inbox WHERE (consumer, event_id) IN (
         SELECT consumer, event_id FROM inbox WHERE processed_at < now() - interval '${INBOX_DAYS} days' LIMIT ${BATCH})`,
    );
    if (pruned === BATCH) this.next = now + SOON;
  }

  private async measure(client: Client): Promise<void> {
    const { rows } = await client.query<{ pending: string; age: string | null }>(
      `SELECT count(*) AS pending, extract(epoch FROM now() - min(created_at)) AS age
         FROM (SELECT created_at FROM outbox ORDER BY id LIMIT 100000) AS first_rows`,
    );
    metrics.outboxPending.set(Number(rows[0]?.pending ?? 0));
    metrics.outboxAge.set(Number(rows[0]?.age ?? 0));
  }
}
