import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PASSWORD, UsersFixture } from './users-fixture.js';

const STRANGERS = 1000;

describe('a thousand anonymous logins at once', () => {
  let fixture: UsersFixture;
  const end = new AbortController();
  const answers: Record<number, number> = {};
  const retryAfter = new Set<string | null>();

  beforeAll(async () => {
    fixture = await UsersFixture.start({ TRUSTED_HOPS: '1', LOGIN_FAILURES_PER_ACCOUNT: '1000000/15m' });
  });
  afterAll(() => fixture.close(), 120_000);

  const login = (email: string, password: string, address: string, cookie = '') =>
    fixture.send('POST', '/auth/login', {
      body: { email, password },
      headers: { 'x-forwarded-for': `1.2.3.4, ${address}`, cookie },
    });

  /** One of as many networks, who tries the owner's account and others in turn, again and again. */
  const stranger = async (n: number, owner: string) => {
    for (let attempt = n; !end.signal.aborted; attempt++) {
      const email = attempt % 2 ? owner : `nobody-${n}@example.com`;
      const answer = await login(email, 'a wrong password', `10.${n >> 8}.${n & 255}.7`).catch(() => undefined);
      if (answer) answers[answer.status] = (answers[answer.status] ?? 0) + 1;
      if (answer?.status === 429) retryAfter.add(answer.headers.get('retry-after'));
      // Who got a turn wants the next one at once, so that the queue is always full.
      if (answer?.status !== 401) await sleep(3000, undefined, { signal: end.signal }).catch(() => undefined);
    }
  };

  it('let the owner in by a known device, all the while', async () => {
    const { email } = await fixture.register();
    const first = await login(email, PASSWORD, '192.0.2.1');
    const [cookie = ''] = (first.headers.getSetCookie()[0] ?? '').split(';');
    const strangers = Array.from({ length: STRANGERS }, (_, n) => stranger(n, email));
    await sleep(100);
    const owner: { status: number; hashesBefore: number; took: number }[] = [];
    try {
      for (let time = 0; time < 6; time++) {
        const [begun, hashed] = [performance.now(), answers[401] ?? 0];
        const { status } = await login(email, PASSWORD, '192.0.2.1', cookie);
        const took = Math.round(performance.now() - begun);
        owner.push({ status, hashesBefore: (answers[401] ?? 0) - hashed, took });
        await sleep(300);
      }
    } finally {
      end.abort();
      await Promise.all(strangers);
    }
    process.stdout.write(
      `the owner got in within ${owner.map(({ took }) => took).join(', ')} ms, ` +
        `behind ${owner.map(({ hashesBefore }) => hashesBefore).join(', ')} strangers; ` +
        `strangers were answered ${JSON.stringify(answers)}\n`,
    );
    expect(owner.map(({ status }) => status)).toEqual(owner.map(() => 200));
    // A quarter of those that wait; in turn it would be all 256 of them.
    expect(Math.max(...owner.map(({ hashesBefore }) => hashesBefore))).toBeLessThan(64);
    expect(Object.keys(answers).sort()).toEqual(['401', '429']);
    expect([...retryAfter]).toEqual(['5']);
  }, 240_000);
});
