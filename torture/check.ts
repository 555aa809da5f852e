import type { TopicMessage } from '#libs/testing';
import type { DataSource } from 'typeorm';
import type { Truth } from './publish.js';

interface State {
  key: string;
  n: number;
  erased: boolean;
}

/**
 * Finds violations in the topic after everything has been sent. A sender whose success was not acknowledged resends from
 * that event on: so the events of a key may repeat, but none may be skipped.
 */
export async function violations(messages: TopicMessage[], truth: Truth, dataSource: DataSource): Promise<string[]> {
  const found: string[] = [];
  const last = new Map<string, { n: number; value: Buffer | null }>();
  const seen = new Set<string>();
  for (const { headers, value, partition, offset } of messages) {
    const event = truth.get(headers.ce_id ?? '');
    if (!event) {
      found.push(`${partition}/${offset} is no event of a committed transaction`);
      continue;
    }
    const before = last.get(event.key)?.n ?? 0;
    if (event.n > before + 1) found.push(`${event.key}: ${event.n} follows ${before} at ${partition}/${offset}`);
    last.set(event.key, { n: event.n, value });
    seen.add(headers.ce_id!);
  }
  for (const [id, { key, n }] of truth) if (!seen.has(id)) found.push(`${key}: ${n} was committed and is not there`);

  for (const { key, n, erased } of await dataSource.query<State[]>('SELECT * FROM states')) {
    const kept = last.get(key);
    if (kept?.n !== n) found.push(`${key}: ${kept?.n} is the last, and ${n} is in the database`);
    if ((kept?.value === null) !== erased) found.push(`${key}: ${erased ? 'was erased' : 'is a tombstone'}`);
  }
  return [...found, ...(await wrongEffects(truth, dataSource))];
}

/** Each event must have one effect, in order per key. */
async function wrongEffects(truth: Truth, dataSource: DataSource): Promise<string[]> {
  const found: string[] = [];
  const last = new Map<string, number>();
  const count = new Map<string, number>();
  const effects = await dataSource.query<{ event_id: string }[]>('SELECT event_id FROM effects ORDER BY id');
  for (const { event_id: id } of effects) {
    count.set(id, (count.get(id) ?? 0) + 1);
    const event = truth.get(id);
    if (!event) continue;
    if (event.n < (last.get(event.key) ?? 0)) found.push(`${event.key}: ${event.n} had its effect after a later one`);
    last.set(event.key, event.n);
  }
  for (const [id, { key, n }] of truth) {
    if (count.get(id) !== 1) found.push(`${key}: ${n} had ${count.get(id) ?? 0} effects`);
  }
  return found;
}
