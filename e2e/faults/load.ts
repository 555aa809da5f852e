import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type User } from '../client.js';
import { type Registration, registration } from '../people.js';

export interface LoadOptions {
  count: number;
  /** Awaited before registration `n` (from 0) begins, while others are under way: the place for faults. */
  before?: (n: number) => Promise<unknown> | undefined;
  /** Requests at once. */
  concurrency?: number;
}

export interface Load {
  people: Registration[];
  /** Ids as they were answered, one a person. */
  ids: string[];
  /** How often each status was answered; `0` for no answer at all. */
  statuses: Record<string, number>;
  /** Milliseconds. */
  took: number;
}

/**
 * Registers `count` people at the edge. What fails is repeated with the same Idempotency-Key until it is answered 201,
 * as a client would do it that wants to have registered once. Throws at an answer that no repetition would change.
 */
export async function register(baseUrl: string, { count, before, concurrency = 8 }: LoadOptions): Promise<Load> {
  const api = new Client(baseUrl);
  const people = Array.from({ length: count }, () => registration({ firstName: 'Load' }));
  const load: Load = { people, ids: [], statuses: {}, took: 0 };
  const begun = performance.now();
  let next = 0;
  const caller = async () => {
    for (let n = next++; n < count; n = next++) {
      await before?.(n);
      load.ids[n] = await registerOnce(api, people[n]!, load.statuses);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  load.took = Math.round(performance.now() - begun);
  return load;
}

async function registerOnce(api: Client, person: Registration, statuses: Load['statuses']): Promise<string> {
  const options = { headers: { 'idempotency-key': randomUUID() } };
  for (;;) {
    const answer = await api.post<User & { code?: string }>('/users', person, options).catch(() => undefined);
    const status = answer?.status ?? 0;
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (answer && status === 201) return answer.body.id;
    const worthRepeating = status === 0 || status === 503 || answer?.body.code === 'idempotency-in-flight';
    if (!worthRepeating) throw new Error(`a registration was answered ${status} ${JSON.stringify(answer?.body)}`);
    await sleep(200);
  }
}
