import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type User } from '../client.js';
import { type Registration, registration } from '../people.js';

export interface LoadOptions {
  count: number;
  /** Awaited before registration `n` (from 0) begins, while others are under way: injects faults. */
  before?: (n: number) => Promise<unknown> | undefined;
  concurrency?: number;
}

export interface Load {
  people: Registration[];
  /** The ids in the answers, one per user. */
  ids: string[];
  /** How often each status was answered; `0` for no answer at all. */
  statuses: Record<string, number>;
  /** Milliseconds. */
  took: number;
}

/**
 * Registers `count` users at the edge. Failed requests are repeated with the same Idempotency-Key until a 201,
 * as a careful client would do it. @throws Error at an answer that no repetition would change.
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
