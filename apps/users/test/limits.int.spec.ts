import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort, type JsonAnswer } from '#libs/testing';
import { clean } from '../src/database.js';
import { newUser, PASSWORD, UsersFixture } from './users-fixture.js';

const WRONG = 'a wrong password';

describe('over three pods', () => {
  let pods: UsersFixture[];
  let next = 0;

  beforeAll(async () => {
    const first = await UsersFixture.start({
      TRUSTED_HOPS: '1',
      LOGIN_FAILURES_PER_ACCOUNT: '20/1h',
      LOGIN_FAILURES_PER_NETWORK: '30/1h',
      REGISTRATIONS_PER_NETWORK: '5/1h',
      DEVICE_FAILURES: '4',
    });
    const another = async () => UsersFixture.start({ ...first.service.env, GRPC_PORT: String(await freePort()) });
    pods = [first, await another(), await another()];
  }, 120_000);
  afterAll(async () => {
    for (const pod of pods.toReversed()) await pod.close();
  });
  // What a pod refuses from memory, it asks about again after a second.
  beforeEach(async () => {
    await pods[0]!.dataSource.query('DELETE FROM limit_counts');
    await sleep(1000);
  });

  /** Sent to the pods in turn, from `address`. */
  const send = (path: string, body: object, address: string, cookie = ''): Promise<JsonAnswer> =>
    pods[next++ % 3]!.send('POST', path, { body, headers: { 'x-forwarded-for': address, cookie } });
  const login = (email: string, password: string, address: string, cookie?: string) =>
    send('/auth/login', { email, password }, address, cookie);
  const register = (address: string) => send('/users', newUser(), address);
  const counted = (answers: JsonAnswer[]) => {
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };
  const owner = async (address: string) => {
    const { email } = (await register(address)).body as { email: string };
    const answer = await login(email, PASSWORD, address);
    const [cookie = ''] = (answer.headers.getSetCookie()[0] ?? '').split(';');
    return { email, cookie };
  };
  /** A thousand a second, each from a network of its own. */
  const flood = async (email: string, seconds: number) => {
    const answers: Promise<JsonAnswer>[] = [];
    for (let tick = 0; tick < seconds * 20; tick++) {
      for (let n = 0; n < 50; n++) answers.push(login(email, WRONG, `10.${tick}.${n}.1`));
      await sleep(50);
    }
    return Promise.all(answers);
  };

  it('a thousand wrong passwords a second for an account: exactly the limit is checked', async () => {
    const { email, cookie } = await owner('192.0.2.1');
    const [answers, known] = await Promise.all([
      flood(email, 2),
      sleep(1500).then(() => login(email, PASSWORD, '192.0.2.1', cookie)),
    ]);
    const counts = counted(answers);
    process.stdout.write(`2,000 wrong passwords for one account over three pods: ${JSON.stringify(counts)}\n`);
    // Those whose turn to be hashed did not come are 429, too, and not counted.
    expect(counts).toEqual({ 401: 20, 429: 1980 });
    // The flood keeps neither the owner's device out nor, once it is over, the right password's count from being taken back.
    expect(known.status).toBe(200);
    const refused = await login(email, PASSWORD, '198.51.100.1');
    expect([refused.status, refused.body.code, refused.body.limit]).toEqual([
      429,
      'too-many-requests',
      'login-account',
    ]);
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(3500);
    expect(retryAfter).toBeLessThanOrEqual(3600);
    expect(refused.headers.get('ratelimit-policy')).toContain('"login-account";q=20;w=3600');
    expect(refused.headers.get('ratelimit')).toContain(`"login-account";r=0;t=${retryAfter}`);
  }, 60_000);

  it('one network has a limit, whichever accounts it tries, and others are not affected', async () => {
    const { email } = await owner('192.0.2.1');
    const all = Array.from({ length: 90 }, (_, n) => login(`nobody-${n}@example.com`, WRONG, `203.0.113.${n}`));
    expect(counted(await Promise.all(all))).toEqual({ 401: 30, 429: 60 });
    expect((await login(email, PASSWORD, '203.0.114.1')).status).toBe(200);
  }, 60_000);

  it('right passwords count for nothing, however many come at once', async () => {
    const { email } = await owner('192.0.2.1');
    for (let round = 0; round < 3; round++) {
      const all = Array.from({ length: 18 }, () => login(email, PASSWORD, '192.0.2.1'));
      expect(counted(await Promise.all(all))).toEqual({ 200: 18 });
    }
    const counts = await pods[0]!.dataSource.query<{ count: number }[]>('SELECT count FROM limit_counts');
    expect(counts.map(({ count }) => count).sort()).toEqual([0, 0, 1, 1, 1]);
  }, 60_000);

  it('a known device that guesses is one of the strangers, whichever pod it asks', async () => {
    const { email, cookie } = await owner('192.0.2.1');
    for (let guess = 0; guess < 24; guess++) {
      expect((await login(email, WRONG, `198.51.${guess}.1`, cookie)).status).toBe(401);
    }
    expect((await login(email, WRONG, '198.51.200.1', cookie)).status).toBe(429);
  }, 60_000);

  it('registrations from a network have a limit', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => register(`203.0.113.${n}`)));
    expect(counted(answers)).toEqual({ 201: 5, 429: 25 });
    expect((await register('203.0.114.1')).status).toBe(201);
  }, 60_000);

  it('a window begins anew, and what was counted in it is deleted', async () => {
    const [{ dataSource }] = pods as [UsersFixture];
    const five = () => Promise.all(Array.from({ length: 6 }, () => register('203.0.113.1')));
    expect(counted(await five())).toEqual({ 201: 5, 429: 1 });
    await dataSource.query('UPDATE limit_counts SET until = now()');
    await sleep(1000);
    expect(counted(await five())).toEqual({ 201: 5, 429: 1 });
    await dataSource.query('UPDATE limit_counts SET until = now()');
    await dataSource.transaction(clean);
    expect(await dataSource.query('SELECT FROM limit_counts')).toEqual([]);
  }, 60_000);
});
