import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

// node load.mjs <url> <requests a second> [share]: mixed reads and writes by twenty people at a fixed rate, whatever the
// answers take, until its standard input ends or it is told to stop. With a share (0.5: half) it first measures for eight
// seconds what is answered when each of them asks again at once, and sends that share of it, the given rate at most: a load
// that fits the machine. Two requests of each are open at most; what is due beyond that is skipped and counted, so that a
// slow moment does not become a queue that only grows. Prints `begun` and, every minute and at the end, a line of JSON: the
// rate, what was sent since the start and in how many seconds, what was skipped, how often each status came (`none`: no answer within ten seconds), what of it failed (any answer that is not
// 2xx), what of that was abrupt (not a 503 with Retry-After), when the failures began and ended (milliseconds since 1970), the
// first five of them, and how many milliseconds answers took. Needs nothing but Node, so that it can run anywhere: beside the
// cluster, within a node's network, in a pod (loadGenerator.enabled).

const [url, most, share] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4] ?? 0)];
if (!url?.startsWith('http://') || !(most > 0) || !(share >= 0 && share <= 1)) {
  process.stderr.write('usage: node load.mjs <url> <requests a second> [share of what can be answered, up to 1]\n');
  process.exit(64);
}
const agent = new Agent({ keepAlive: true, maxSockets: 200 });
const blank = () => ({
  rate: most,
  sent: 0,
  seconds: 0,
  skipped: 0,
  statuses: {},
  failed: 0,
  abrupt: 0,
  failedFrom: null,
  failedUntil: null,
  examples: [],
  p50: 0,
  p99: 0,
});
let report = blank();
/** How many of the latest times are kept for the percentiles. */
const MEMORY = 100_000;
let times = [];
let ended = false;

/**
 * One request. On a kept connection that the other side closed in that moment, what can be repeated is: reads, and what
 * carries an Idempotency-Key.
 */
function send(method, path, token, body, key = method === 'POST' ? randomUUID() : undefined) {
  return new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(key && { 'idempotency-key': key }),
      ...(content && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
    };
    const call = request(`${url}/api/v1${path}`, { method, headers, agent, timeout: 10_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode, retryAfter: 'retry-after' in response.headers, body: text }),
      );
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error('no answer within 10 s')));
    call.on('error', (error) => {
      if (call.reusedSocket && error.code === 'ECONNRESET' && (key || method === 'GET')) {
        return resolve(send(method, path, token, body, key));
      }
      reject(error);
    });
    call.end(content);
  });
}

async function make(method, path, token, body) {
  for (let attempt = 1; ; attempt++) {
    const reply = await send(method, path, token, body).catch((error) => ({ status: 0, body: error.message }));
    if (reply.status >= 200 && reply.status < 300) return JSON.parse(reply.body);
    if (attempt === 20) throw new Error(`${method} ${path} answered ${reply.status} ${reply.body}`);
    await sleep(500);
  }
}

async function caller(n) {
  const email = `load-${Date.now()}-${process.pid}-${n}@example.test`;
  const password = 'correct horse battery';
  await make('POST', '/users', undefined, { email, password, firstName: 'Load', lastName: 'Test' });
  const { accessToken: token } = await make('POST', '/auth/login', undefined, {
    email,
    password,
  });
  const { id: list } = await make('POST', '/lists', token, { name: 'Load' });
  const { id: item } = await make('POST', `/lists/${list}/items`, token, { name: 'first' });
  return { token, list, item, n: 0 };
}

/** Half reads of one list, a quarter other reads, a quarter writes. */
async function one(who, turn) {
  const n = who.n++;
  /** @type {[method: string, path: string, body?: object][]} */
  const kinds = [
    ['GET', `/lists/${who.list}`],
    ['GET', `/lists/${who.list}/items?limit=20`],
    ['POST', `/lists/${who.list}/items`, { name: `item ${n}` }],
    ['GET', `/lists/${who.list}`],
    ['GET', '/users/me'],
    ['GET', `/lists/${who.list}`],
    ['PATCH', `/items/${who.item}`, { notes: `note ${n}` }],
    ['GET', '/notifications/deliveries'],
  ];
  const [method, path, body] = kinds[turn % kinds.length];
  const begun = Date.now();
  report.sent++;
  const reply = await send(method, path, who.token, body).catch((error) => error);
  times.push(Date.now() - begun);
  if (times.length > MEMORY) times.splice(0, MEMORY / 2);
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

function print() {
  const sorted = times.toSorted((a, b) => a - b);
  report.seconds = (performance.now() - begun) / 1000;
  report.p50 = sorted[Math.floor(sorted.length * 0.5)] ?? 0;
  report.p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

process.stdin.on('end', () => (ended = true)).resume();
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => (ended = true));
const people = 20;
const MOST_OPEN = 2 * people;
let callers = await Promise.all(Array.from({ length: people }, (_, n) => caller(n)));
// Tokens live for minutes: new people take over in time.
const renewal = setInterval(() => {
  Promise.all(Array.from({ length: people }, (_, n) => caller(n))).then(
    (next) => (callers = next),
    () => {},
  );
}, 150_000);
/** Eight seconds of everybody asking again at once; the first half warms up, the second is counted. Answers a second. */
async function capacity() {
  const ends = performance.now() + 8000;
  const counts = performance.now() + 4000;
  let answered = 0;
  const ask = async (n) => {
    for (let turn = n; performance.now() < ends; turn += people) {
      await one(callers[n], turn);
      if (performance.now() > counts) answered++;
    }
  };
  await Promise.all(callers.map((_, n) => ask(n)));
  return answered / 4;
}
const rate = share ? Math.min(most, share * (await capacity())) : most;
report = { ...blank(), rate: Math.round(rate) };
times = [];
process.stdout.write('begun\n');
setInterval(print, 60_000).unref();

const begun = performance.now();
const open = new Set();
for (let turn = 0; ; turn++) {
  if (ended) break;
  const due = begun + (turn * 1000) / rate;
  const wait = due - performance.now();
  if (wait > 0) await sleep(wait);
  if (open.size >= MOST_OPEN) {
    report.skipped++;
    if (wait <= 0) await sleep(0);
    continue;
  }
  const work = one(callers[turn % people], turn).finally(() => open.delete(work));
  open.add(work);
}
await Promise.all(open);
clearInterval(renewal);
print();
process.exit(0);
