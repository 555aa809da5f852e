import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { freePort } from '#local/supervise/ports.js';
import { uuidv7 } from '#libs/messaging';
import { migrate } from '#libs/service';
import { database } from '../apps/todos/src/database.js';
import { type Contestant, load, median, type Round, start, stop } from './contestant.js';
import { startIssuer } from './issuer.js';
import type { Report, Servers } from './servers.js';

const ROUNDS = 7;
const SECONDS = 4;
const script = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * The two routes people use most, on Tasklane's todos and on bare Fastify with the same SQL, in turns on one machine: what
 * disturbs one disturbs the other. Ratios are medians of the ratios of neighbouring rounds.
 */
export async function benchHttp(servers: Servers, report: Report): Promise<void> {
  const issuer = await startIssuer();
  const contestants: Contestant[] = [];
  try {
    const tasklane = await contestant('Tasklane', '../apps/todos/src/main.js', servers, issuer.jwksUrl);
    contestants.push(tasklane.server);
    const bare = await contestant('bare Fastify', './bare-fastify.js', servers, issuer.jwksUrl);
    contestants.push(bare.server);
    const token = await issuer.token(tasklane.ownerId);
    for (const [name, makeRequest] of Object.entries(requests)) {
      const rounds: [Round, Round][] = [];
      for (let round = 0; round <= ROUNDS; round++) {
        const a = await load(tasklane.server, makeRequest(tasklane.listId, token), SECONDS);
        const b = await load(bare.server, makeRequest(bare.listId, token), SECONDS);
        // The first round warms up both.
        if (round > 0) rounds.push([a, b]);
        report.progress(`${name} ${round}/${ROUNDS}: ${a.perSecond.toFixed(0)} and ${b.perSecond.toFixed(0)} a second`);
      }
      summarise(report, name, rounds);
    }
  } finally {
    await Promise.all(contestants.map(stop));
    issuer.close();
  }
}

const requests = {
  'authenticated read of one list': (listId: string, token: string) => ({
    method: 'GET' as const,
    path: `/api/v1/lists/${listId}`,
    headers: { authorization: `Bearer ${token}` },
  }),
  'creation of an item': (listId: string, token: string) => ({
    method: 'POST' as const,
    path: `/api/v1/lists/${listId}/items`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    setupRequest: (request: object) => ({ ...request, body: JSON.stringify({ name: randomUUID(), priority: 1 }) }),
  }),
};

/** A server on a database of its own, with one person who has one list. */
async function contestant(name: string, path: string, servers: Servers, jwksUrl: string) {
  const [ownerId, listId] = [OWNER, uuidv7()];
  const DATABASE_URL = await servers.createDatabase();
  await migrate(database, { DATABASE_URL, DATABASE_POOL_SIZE: 2 });
  const client = new pg.Client({ connectionString: DATABASE_URL });
  await client.connect();
  await client.query(
    `INSERT INTO people (id, email, first_name, last_name, version) VALUES ($1, 'a@b.c', 'A', 'B', 1)`,
    [ownerId],
  );
  await client.query(`INSERT INTO lists (id, owner_id, name) VALUES ($1, $2, 'Groceries')`, [listId, ownerId]);
  await client.end();
  const server = await start(name, script(path), await freePort(), {
    DATABASE_URL,
    JWKS_URL: jwksUrl,
    KAFKA_BROKERS: servers.brokers,
    TOPIC_PREFIX: `bench-${randomUUID()}`,
    METRICS_PORT: String(await freePort()),
    DRAIN_DELAY: '0ms',
  });
  return { server, ownerId, listId };
}

const OWNER = uuidv7();

function summarise(report: Report, name: string, rounds: [Round, Round][]): void {
  const ratio = (pick: (round: Round) => number) => median(rounds.map(([a, b]) => pick(a) / pick(b)));
  const of = (index: 0 | 1, pick: (round: Round) => number) => median(rounds.map((pair) => pick(pair[index])));
  report.row(name, {
    'Tasklane, requests a second': of(0, ({ perSecond }) => perSecond).toFixed(0),
    'bare Fastify, requests a second': of(1, ({ perSecond }) => perSecond).toFixed(0),
    'ratio (aim 0.9)': ratio(({ perSecond }) => perSecond).toFixed(2),
    'Tasklane, CPU a request': `${of(0, ({ cpuMicros }) => cpuMicros).toFixed(0)} µs`,
    'bare Fastify, CPU a request': `${of(1, ({ cpuMicros }) => cpuMicros).toFixed(0)} µs`,
    p99: `${of(0, ({ p99 }) => p99).toFixed(0)} ms against ${of(1, ({ p99 }) => p99).toFixed(0)} ms`,
  });
}
