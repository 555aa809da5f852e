import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Logger } from '@nestjs/common';
import { freePort } from '#local/supervise/ports.js';
import { uuidv7 } from '#libs/messaging';
import { migrate } from '#libs/service';
import { query, startTokenIssuer } from '#libs/testing';
import { database } from '../apps/todos/src/database.js';
import { FakeNotifications } from '../apps/todos/test/fake-notifications.js';
import { FakeUsers } from '../apps/todos/test/fake-users.js';
import { type Contestant, load, median, memoryOf, type Round, start, stop } from './contestant.js';
import type { Report, Servers } from './servers.js';

/** Many short rounds: a disturbance of some seconds then affects all contestants. */
const ROUNDS = 20;
const WARM_UP = 4;
const SECONDS = 1;
/** Idle time before memory at rest is measured, in milliseconds. */
const REST = 10_000;

interface Entrant {
  server: Contestant;
  listId: string;
}

const script = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The routes that are compared; Tasklane is the first contestant. */
const aims: Record<string, Record<string, number>> = {
  'authenticated read of one list': {
    'bare Fastify': 1.3,
    'bare Fastify with pipelined pg': 0.7,
    'Tasklane without limits': 0.99,
  },
  'creation of an item': { 'bare Fastify': 0.95 },
  'overview of 20 lists, from the cache': {},
  'overview of 20 lists, asking the other services': {},
};

/**
 * The two most used routes, on Tasklane's todos and on bare Fastify with the same SQL, in turns on one machine; then the overview.
 * Ratios are medians of the ratios of neighbouring rounds.
 */
export async function benchHttp(servers: Servers, report: Report): Promise<void> {
  const issuer = await startTokenIssuer();
  const contestants: Entrant[] = [];
  const [users, notifications] = [new FakeUsers(), new FakeNotifications()];
  users.add(OWNER);
  await Promise.all([users.start(), notifications.start()]);
  const callees = { USERS_GRPC_URL: users.address, NOTIFICATIONS_URL: notifications.url };
  const enter = async (name: string, path: string, env?: Record<string, string>) => {
    const entrant = await contestant(name, path, servers, { JWKS_URL: issuer.jwksUrl, ...callees, ...env });
    contestants.push(entrant);
    return entrant;
  };
  try {
    // More than can be reached: one client sends all requests for one person.
    const limits = { RATE_LIMIT_NETWORK: '900000000/1m', RATE_LIMIT_PERSON: '900000000/1m' };
    const none = { RATE_LIMIT_NETWORK: 'off', RATE_LIMIT_PERSON: 'off' };
    const tasklane = await enter('Tasklane', '../apps/todos/src/main.js', limits);
    await enter('bare Fastify', './bare-fastify.js');
    await enter('bare Fastify with pipelined pg', './bare-fastify.js', { PIPELINED: 'yes' });
    await enter('Tasklane without limits', '../apps/todos/src/main.js', none);
    await sleep(REST);
    const memory: Record<string, string> = { 'at rest': `${memoryOf(tasklane.server).now.toFixed(0)} MB` };
    const token = await issuer.token(OWNER, { exp: Math.floor(Date.now() / 1000) + 3600 });
    for (const [name, makeRequest] of Object.entries(requests)) {
      const against = contestants.filter(({ server }) => server.name in aims[name]!);
      const rounds: Round[][] = [];
      for (let round = 1 - WARM_UP; round <= ROUNDS; round++) {
        const results: Round[] = [];
        for (const { server, listId } of [tasklane, ...against]) {
          results.push(await load(server, makeRequest(listId, token), SECONDS));
        }
        if (round > 0) rounds.push(results);
        const rates = results.map(({ perSecond }) => perSecond.toFixed(0)).join(', ');
        report.progress(`${name} ${round}/${ROUNDS}: ${rates} a second`);
      }
      summarise(report, name, ['Tasklane', ...against.map(({ server }) => server.name)], rounds);
      memory[`at most until after: ${name}`] = `${memoryOf(tasklane.server).most.toFixed(0)} MB`;
    }
    report.row('resident memory of Tasklane', memory);
  } finally {
    await Promise.all(contestants.map(({ server }) => stop(server)));
    users.stop();
    notifications.stop();
    await issuer.stop();
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
  'overview of 20 lists, from the cache': (_listId: string, token: string) => overview(token),
  'overview of 20 lists, asking the other services': (_listId: string, token: string) =>
    overview(token, { 'cache-control': 'no-cache' }),
};

const overview = (token: string, headers = {}) => ({
  method: 'GET' as const,
  path: '/api/v1/overview',
  headers: { authorization: `Bearer ${token}`, ...headers },
});

/** A server on a database of its own, with one user who has 20 lists. */
async function contestant(name: string, path: string, servers: Servers, env: Record<string, string>): Promise<Entrant> {
  const listId = uuidv7();
  const DATABASE_URL = await servers.createDatabase();
  await migrate(database, { DATABASE_URL, DATABASE_POOL_SIZE: 2 }, Logger);
  const person = `INSERT INTO people (id, email, first_name, last_name, version) VALUES ($1, 'a@b.c', 'A', 'B', 1)`;
  await query(DATABASE_URL, person, [OWNER]);
  await query(DATABASE_URL, `INSERT INTO lists (id, owner_id, name) VALUES ($1, $2, 'Groceries')`, [listId, OWNER]);
  const more = `INSERT INTO lists (id, owner_id, name) SELECT uuidv7(), $1, 'List ' || n FROM generate_series(2, 20) AS n`;
  await query(DATABASE_URL, more, [OWNER]);
  const server = await start(name, script(path), await freePort(), {
    DATABASE_URL,
    KAFKA_BROKERS: servers.brokers,
    TOPIC_PREFIX: `bench-${randomUUID()}`,
    METRICS_PORT: String(await freePort()),
    DRAIN_DELAY: '0ms',
    ...env,
  });
  return { server, listId };
}

const OWNER = uuidv7();

function summarise(report: Report, name: string, names: string[], rounds: Round[][]): void {
  const figures: Record<string, string> = {};
  for (const [index, who] of names.entries()) {
    const of = (pick: (round: Round) => number) => median(rounds.map((round) => pick(round[index]!)));
    const rate = `${of(({ perSecond }) => perSecond).toFixed(0)} requests a second`;
    const cost = `${of(({ cpuMicros }) => cpuMicros).toFixed(0)} µs of CPU`;
    figures[who] = `${rate}, ${cost} each, p99 ${of(({ p99 }) => p99).toFixed(0)} ms`;
  }
  for (const [index, who] of names.entries()) {
    if (index === 0) continue;
    const ratio = median(rounds.map((round) => round[0]!.perSecond / round[index]!.perSecond));
    const cpu = median(rounds.map((round) => round[0]!.cpuMicros / round[index]!.cpuMicros));
    figures[`against ${who} (aim ${aims[name]![who]})`] = `${ratio.toFixed(2)}, CPU a request ${cpu.toFixed(2)}`;
  }
  report.row(name, figures);
}
