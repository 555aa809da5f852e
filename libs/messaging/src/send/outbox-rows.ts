import type { Client } from 'pg';
import type { Headers } from '../kafka/cloud-event.js';

/** Limits of one read; the bytes bound the memory when events are large. */
const EVENTS = { rows: 1000, bytes: 4_000_000 };
const REPLIES = { rows: 200, bytes: 1_000_000 };

export interface OutboxRow {
  id: string;
  topic: string;
  key: string;
  payload: string | null;
  headers: Headers;
  reply: boolean;
}

/** The first rows by id, as many as fit: never a later row of a key without the earlier ones. */
const firstOf = (condition: string, { rows, bytes }: { rows: number; bytes: string }) => `
  SELECT id, topic, key, payload, headers, expires_at IS NOT NULL AS reply
    FROM (SELECT *, sum(size) OVER (ORDER BY id) - size AS bytes_before
            FROM (SELECT *, octet_length(coalesce(payload, '')) AS size FROM outbox
                   WHERE id > $4 AND shard = ANY($1::smallint[]) AND topic <> ALL($2::text[]) AND ${condition}
                   ORDER BY id LIMIT ${rows}) AS first_rows) AS measured
   WHERE bytes_before < ${bytes}`;

const READ = `${firstOf('expires_at IS NULL', { rows: EVENTS.rows, bytes: '$3' })}
  UNION ALL ${firstOf('expires_at IS NOT NULL', { rows: REPLIES.rows, bytes: String(REPLIES.bytes) })}
  ORDER BY reply, id`;

/**
 * Reads the next rows to send from some shards, except those of `held` topics and those up to the id `floor`. Replies
 * have their own share, so that neither they nor events wait behind the other.
 */
export async function readOutbox(
  client: Client,
  shards: number[],
  held: string[],
  floor: string,
  bytes = EVENTS.bytes,
): Promise<OutboxRow[]> {
  if (shards.length === 0) return [];
  const { rows } = await client.query<OutboxRow>({
    name: 'relay_read',
    text: READ,
    values: [shards, held, bytes, floor],
  });
  return rows;
}
