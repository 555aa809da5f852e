import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '#libs/testing';
import { Client } from '../client.js';
import { expectProblem } from '../expect-problem.js';
import { logIn, newPerson, type Person, type Registration } from '../people.js';
import { type Load, register } from './load.js';
import { serviceNames as services } from '../../scripts/services.js';
import { System } from './system.js';

const once = { missing: [], repeated: 0, doubled: [] };
const print = (line: string) => process.stdout.write(`${line}\n`);

// One after the other on one system, so that slow recoveries (the lease of a mail that was being sent at the time
// of a kill lasts a minute) overlap with the next test.
describe('no crash loses or doubles anything', () => {
  let system: System;
  let person: Person;
  let killed: Load;
  let firstToken: string;
  const people: Registration[] = [];

  beforeAll(async () => {
    system = await System.start({ ACCESS_TOKEN_TTL: '10s' });
    person = await newPerson({ baseUrl: system.stack.url });
    firstToken = person.tokens.accessToken;
  }, 150_000);
  afterAll(() => system?.remove(), 30_000);

  const api = () => new Client(system.stack.url);
  const unit = (name: Parameters<System['stack']['unit']>[0]) => system.stack.unit(name);
  const pids = () => services.map((name) => unit(name).pid);
  const tell = (what: string, { statuses, took }: Load) =>
    print(`${what}: ${(took / 1000).toFixed(1)} s, answers ${JSON.stringify(statuses)}`);

  /** By service and table: the number of rows, and a digest of them. */
  const rows = async () => {
    const all: Record<string, string> = {};
    for (const name of services) {
      for (const [table, texts] of Object.entries(await system.rows(name))) {
        all[`${name}.${table}`] =
          `${texts.length} rows, ${createHash('sha256').update(texts.join('\n')).digest('hex')}`;
      }
    }
    return all;
  };

  /** Every user of a load has one account, which the other services know. */
  const expectAccounts = async ({ people: registered, ids }: Load) => {
    const emails = registered.map(({ email }) => email);
    expect(new Set(ids).size).toBe(emails.length);
    const rows = await system.select<{ id: string }>('users', 'SELECT id FROM users WHERE email = ANY($1)', [emails]);
    expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(ids));
    const inTodos = async () => (await system.select('todos', 'SELECT FROM people WHERE id = ANY($1)', [ids])).length;
    await waitFor(async () => (await inTodos()) === ids.length, { timeout: 60_000, what: 'todos to know everybody' });
  };

  it('notifications stopped, 20 people registered, notifications started: 20 mails, one each', async () => {
    await unit('notifications').stop(5000);
    const load = await register(system.stack.url, { count: 20 });
    expect(load.statuses).toEqual({ 201: 20 });
    expect((await system.mailsTo(load.people)).missing).toHaveLength(20);
    await unit('notifications').start();
    expect(await system.settle(load.people)).toEqual(once);
    people.push(...load.people);
  });

  it('each service killed in turn, ten times, and the broker twice, during 1,000 registrations: 1,000 accounts', async () => {
    const kills: Promise<void>[] = [];
    const kill = async (n: number) => {
      const service = unit(services[n % services.length]!);
      await service.ready();
      if (n === 10 || n === 20) await unit('kafka').kill();
      await service.kill();
    };
    killed = await register(system.stack.url, {
      count: 1000,
      before: (n) => {
        const due = Math.floor(n / 32) - 1;
        if (due < 0 || due >= 30) return undefined;
        return (kills[due] ??= kill(due));
      },
    });
    tell('30 kills of services and 2 of the broker during 1,000 registrations', killed);
    expect(kills).toHaveLength(30);
    await Promise.all([...services, 'kafka' as const].map((name) => unit(name).ready()));
    await expectAccounts(killed);
    people.push(...killed.people);
  }, 400_000);

  it('the broker killed and restarted: no registration fails, no service restarts', async () => {
    const before = pids();
    const load = await register(system.stack.url, {
      count: 200,
      before: (n) => (n === 50 ? unit('kafka').kill() : undefined),
    });
    tell('a kill of the broker during 200 registrations', load);
    expect(load.statuses).toEqual({ 201: 200 });
    await unit('kafka').ready();
    await expectAccounts(load);
    people.push(...load.people);
    expect(pids()).toEqual(before);
  }, 400_000);

  it('PostgreSQL killed under load: 503 until it is back, nothing lost, no service restarted', async () => {
    const before = pids();
    let refused: Awaited<ReturnType<Client['get']>> | undefined;
    const load = await register(system.stack.url, {
      count: 200,
      before: async (n) => {
        if (n !== 60) return;
        const postgres = unit('postgres');
        const { api: reader } = await logIn(api(), person);
        process.kill(postgres.pid!, 'SIGKILL');
        await postgres.stop(0);
        refused = await reader.get('/users/me');
        await postgres.start();
      },
    });
    tell('a kill of PostgreSQL during 200 registrations', load);
    expectProblem(refused!, 503, 'unavailable');
    expect(refused!.headers.get('retry-after')).toBe('2');
    expect(load.statuses).toEqual({ 201: 200, 503: expect.any(Number) });
    await expectAccounts(load);
    people.push(...load.people);
    expect(pids()).toEqual(before);
  }, 300_000);

  it('two processes of every service share the work: 100 mails, one each', async () => {
    const replicas = await Promise.all(services.map((name) => system.startReplica(name)));
    const [one, other] = await Promise.all(
      [system.stack.url, replicas[services.indexOf('users')]!.url].map((url) =>
        register(url, { count: 50, concurrency: 4 }),
      ),
    );
    const both = [...one!.people, ...other!.people];
    expect(await system.settle(both)).toEqual(once);
    await Promise.all([expectAccounts(one!), expectAccounts(other!)]);
    people.push(...both);

    // A session that one process ends is over in the other, too.
    const session = await logIn(api(), person);
    const elsewhere = replicas.map(({ url }) => new Client(url, session.tokens.accessToken));
    const doors: Record<string, string> = {
      users: '/users/me',
      todos: '/lists',
      notifications: '/notifications/deliveries',
    };
    const statuses = () =>
      Promise.all(elsewhere.map(async (client, n) => (await client.get(doors[services[n]!]!)).status));
    expect(await statuses()).toEqual([200, 200, 200]);
    await session.api.post('/auth/logout');
    await waitFor(async () => String(await statuses()) === '401,401,401', { what: 'all processes to refuse' });
    await Promise.all(replicas.map((replica) => replica.stop()));
  }, 300_000);

  it('everybody got a welcome mail; a second one only of the same Message-ID, by a kill', async () => {
    const all = await system.settle(people);
    expect(all).toMatchObject({ missing: [], doubled: [] });
    const { repeated } = await system.mailsTo(killed.people);
    print(`mails repeated by the kills: ${repeated} of 1,000, each with the same Message-ID`);
    const others = people.filter((somebody) => !killed.people.includes(somebody));
    expect(await system.mailsTo(others)).toEqual(once);
    const states = await system.select('notifications', 'SELECT state, count(*)::int AS n FROM deliveries GROUP BY 1');
    expect(states).toEqual([{ state: 'sent', n: people.length + 1 }]);
  }, 300_000);

  it('an expired token is refused by every service', async () => {
    const expired = api().as(firstToken);
    for (const path of ['/users/me', '/lists', '/notifications/deliveries']) {
      expectProblem(await expired.get(path), 401, 'token-expired');
    }
    expect((await api().post('/auth/validate', { token: firstToken })).body).toEqual({ active: false });
  });

  it('a replay of every topic from the beginning changes no row and sends no mail', async () => {
    await Promise.all(services.map((name) => unit(name).stop(5000)));
    const [before, mails] = [await rows(), (await system.mailbox.list()).length];
    const rewound = await system.rewind();
    for (const topic of ['tasklane.users', 'tasklane.accounts']) {
      expect(Object.values(rewound).flat()).toContain(topic);
    }
    await Promise.all(services.map((name) => unit(name).start()));
    await system.caughtUp();
    expect(await rows()).toEqual(before);
    expect(await system.mailbox.list()).toHaveLength(mails);
  }, 300_000);

  it('an event that nobody can read goes to the dead letters with its reason, and stops nothing', async () => {
    await system.produce('tasklane.accounts', 'not an event');
    const { people: more } = await register(system.stack.url, { count: 12 });
    expect(await system.settle(more)).toEqual(once);
    const [dead] = await system.read('tasklane.notifications.dead', 1);
    expect(dead!.value).toBe('not an event');
    expect(dead!.headers['tasklane-reason']).toContain('no CloudEvent');
  });
});
