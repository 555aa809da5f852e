import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'node:http';

// node dist/e2e/cluster/loader.js <url> <requests a second>: mixed reads and writes at a fixed rate, whatever the answers
// take, until its standard input ends; then one line of JSON, a LoadReport. Needs nothing but Node, so that it can run
// anywhere: beside the cluster, within a node's network, in a pod.

export interface LoadReport {
  sent: number;
  /** How often each status came; `none` for requests that got no answer within ten seconds. */
  statuses: Record<string, number>;
  /** Answers other than 2xx, or none. */
  failed: number;
  /** Of those, the ones that are not a 503 with Retry-After. */
  abrupt: number;
  /** When the first failure was sent and the last one ended, in milliseconds since 1970. */
  failedFrom: number | null;
  failedUntil: number | null;
  /** The first failures. */
  examples: string[];
  /** Milliseconds. */
  p50: number;
  p99: number;
}

interface Reply {
  status: number;
  retryAfter: boolean;
  body: string;
}

interface Caller {
  token: string;
  list: string;
  item: string;
  n: number;
}

const [url, rate] = [process.argv[2]!, Number(process.argv[3])];
const agent = new Agent({ keepAlive: true, maxSockets: 200 });
const report: LoadReport = {
  sent: 0,
  statuses: {},
  failed: 0,
  abrupt: 0,
  failedFrom: null,
  failedUntil: null,
  examples: [],
  p50: 0,
  p99: 0,
};
const times: number[] = [];
let ended = false;

/** One request. Only a read on a kept connection that the other side closed in that moment is repeated, as browsers do. */
function send(method: string, path: string, token?: string, body?: unknown): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(content && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
    };
    const call = request(`${url}/api/v1${path}`, { method, headers, agent, timeout: 10_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode!, retryAfter: 'retry-after' in response.headers, body: text }),
      );
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error('no answer within 10 s')));
    call.on('error', (error: NodeJS.ErrnoException) => {
      if (call.reusedSocket && error.code === 'ECONNRESET' && method === 'GET') {
        return resolve(send(method, path, token, body));
      }
      reject(error);
    });
    call.end(content);
  });
}

async function make<T>(method: string, path: string, token?: string, body?: unknown): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const reply = await send(method, path, token, body).catch((error: Error) => ({ status: 0, body: error.message }));
    if (reply.status >= 200 && reply.status < 300) return JSON.parse(reply.body) as T;
    if (attempt === 20) throw new Error(`${method} ${path} answered ${reply.status} ${reply.body}`);
    await sleep(500);
  }
}

async function caller(n: number): Promise<Caller> {
  const email = `load-${Date.now()}-${process.pid}-${n}@example.test`;
  const password = 'correct horse battery';
  await make('POST', '/users', undefined, { email, password, firstName: 'Load', lastName: 'Test' });
  const { accessToken: token } = await make<{ accessToken: string }>('POST', '/auth/login', undefined, {
    email,
    password,
  });
  const { id: list } = await make<{ id: string }>('POST', '/lists', token, { name: 'Load' });
  const { id: item } = await make<{ id: string }>('POST', `/lists/${list}/items`, token, { name: 'first' });
  return { token, list, item, n: 0 };
}

/** Half reads of one list, a quarter other reads, a quarter writes. */
async function one(who: Caller, turn: number): Promise<void> {
  const n = who.n++;
  const kinds: [method: string, path: string, body?: unknown][] = [
    ['GET', `/lists/${who.list}`],
    ['GET', `/lists/${who.list}/items?limit=20`],
    ['POST', `/lists/${who.list}/items`, { name: `item ${n}` }],
    ['GET', `/lists/${who.list}`],
    ['GET', '/users/me'],
    ['GET', `/lists/${who.list}`],
    ['PATCH', `/items/${who.item}`, { notes: `note ${n}` }],
    ['GET', '/notifications/deliveries'],
  ];
  const [method, path, body] = kinds[turn % kinds.length]!;
  const begun = Date.now();
  report.sent++;
  const reply = await send(method, path, who.token, body).catch((error: Error) => error);
  times.push(Date.now() - begun);
  const status = reply instanceof Error ? 'none' : String(reply.status);
  report.statuses[status] = (report.statuses[status] ?? 0) + 1;
  if (!(reply instanceof Error) && reply.status < 300) return;
  report.failed++;
  if (reply instanceof Error || reply.status !== 503 || !reply.retryAfter) report.abrupt++;
  report.failedFrom = Math.min(report.failedFrom ?? begun, begun);
  report.failedUntil = Date.now();
  if (report.examples.length < 5) {
    const what = reply instanceof Error ? reply.message : `${reply.status} ${reply.body.slice(0, 200)}`;
    report.examples.push(`${new Date(begun).toISOString()} ${method} ${path}: ${what}`);
  }
}

process.stdin.on('end', () => (ended = true)).resume();
const people = 20;
let callers = await Promise.all(Array.from({ length: people }, (_, n) => caller(n)));
// Tokens live for minutes: new people take over in time.
const renewal = setInterval(() => {
  Promise.all(Array.from({ length: people }, (_, n) => caller(n))).then(
    (next) => (callers = next),
    () => {},
  );
}, 150_000);
process.stdout.write('begun\n');

const begun = performance.now();
const open = new Set<Promise<void>>();
for (let turn = 0; ; turn++) {
  if (ended) break;
  const due = begun + (turn * 1000) / rate;
  if (due > performance.now()) await sleep(due - performance.now());
  const work = one(callers[turn % people]!, turn).finally(() => open.delete(work));
  open.add(work);
}
await Promise.all(open);
clearInterval(renewal);
times.sort((a, b) => a - b);
report.p50 = times[Math.floor(times.length * 0.5)] ?? 0;
report.p99 = times[Math.floor(times.length * 0.99)] ?? 0;
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exit(0);
