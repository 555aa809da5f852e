import type { EntityManager } from 'typeorm';
import type { Received } from '../kafka/cloud-event.js';
import type { Work } from './routes.js';

const keyOf = ({ topic, key }: Pick<Received, 'topic' | 'key'>): string => JSON.stringify([topic, key]);

/**
 * Keeps ordered events that cannot be handled, with all later ones of their key, so that the other keys of the partition
 * continue. They are in the database: a row is written together with the inbox mark, and deleted together with the effect.
 */
export class Parking {
  constructor(private readonly consumer: string) {}

  /** Which of these must wait behind a parked event of their key. Call it after inserting their inbox marks. */
  async behindParked(tx: EntityManager, works: Work[]): Promise<ReadonlySet<Work>> {
    const ordered = works.filter((work) => work.ordered);
    if (ordered.length === 0) return new Set();
    const rows = await tx.query<Pick<Received, 'topic' | 'key'>[]>(
      `SELECT DISTINCT topic, key FROM parked_events WHERE consumer = $1 AND key = ANY($2::text[])`,
      [this.consumer, ordered.map(({ message }) => message.key)],
    );
    const parked = new Set(rows.map(keyOf));
    return new Set(ordered.filter(({ message }) => parked.has(keyOf(message))));
  }

  /** @param delay milliseconds until it is retried. */
  async add(tx: EntityManager, { message }: Work, reason: string, delay: number): Promise<void> {
    const { topic, partition, offset, key, value, headers } = message;
    await tx.query(
      `INSERT INTO parked_events (consumer, topic, partition, "offset", key, value, headers, reason, due_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9::float8 * interval '1 ms')`,
      [this.consumer, topic, partition, offset, key, value, JSON.stringify(headers), reason, delay],
    );
  }
}
