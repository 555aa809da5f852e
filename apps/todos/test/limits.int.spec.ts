import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Caller, TodosFixture } from './todos-fixture.js';

describe('the limits of a replica', () => {
  let fixture: TodosFixture;
  let ada: Caller;
  let bob: Caller;

  beforeAll(async () => {
    fixture = await TodosFixture.start({ TRUSTED_HOPS: '1', RATE_LIMIT_PERSON: '5/1h', RATE_LIMIT_NETWORK: '8/1h' });
    [ada, bob] = await Promise.all([fixture.user(), fixture.user()]);
  });
  afterAll(() => fixture.close());

  const from = (address: string) => ({ 'x-forwarded-for': address });
  const lists = async (who: Caller, address: string) => who.send('GET', '/lists', undefined, from(address));
  const expectRefused = async (answer: Awaited<ReturnType<typeof lists>>, limit: string, q: number) => {
    expect([answer.status, answer.body.code, answer.body.limit]).toEqual([429, 'too-many-requests', limit]);
    const wait = answer.headers.get('retry-after');
    expect(Number(wait)).toBeGreaterThan(3600 / q - 60);
    expect(answer.headers.get('ratelimit')).toBe(`"${limit}";r=0;t=${wait}`);
    expect(answer.headers.get('ratelimit-policy')).toBe(`"${limit}";q=${q};w=3600`);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  };

  it('are told, and end a person’s requests wherever they come from', async () => {
    for (let n = 1; n <= 5; n++) {
      const { status, headers } = await lists(ada, `10.0.${n}.1`);
      expect([status, headers.get('ratelimit-policy')]).toEqual([200, '"person";q=5;w=3600']);
      expect(headers.get('ratelimit')).toMatch(new RegExp(`^"person";r=${5 - n};t=\\d+$`));
    }
    await expectRefused(await lists(ada, '10.0.6.1'), 'person', 5);
    expect((await lists(bob, '10.0.6.1')).status).toBe(200);
  });

  it('end a network’s requests, before any token is looked at', async () => {
    const nobody = fixture.caller('', undefined);
    for (let n = 0; n < 8; n++) {
      const { status, headers } = await lists(nobody, `203.0.113.${n}`);
      expect([status, headers.get('ratelimit')?.split(';t')[0]]).toEqual([401, `"network";r=${7 - n}`]);
    }
    await expectRefused(await lists(nobody, '203.0.113.200'), 'network', 8);
    await expectRefused(await lists(bob, '203.0.113.201'), 'network', 8);
    expect((await lists(nobody, '203.0.114.1')).status).toBe(401);
    // An address that a client made up is not believed.
    await expectRefused(await lists(nobody, '192.0.2.1, 203.0.113.1'), 'network', 8);
  });

  it('do not apply to probes and documents', async () => {
    for (const path of ['/livez', '/readyz', '/api/v1/todos/openapi.json', '/api/v1/todos/docs']) {
      for (let n = 0; n < 10; n++) {
        const { status, headers } = await fetch(`${fixture.service.url}${path}`, { headers: from('203.0.113.1') });
        // Ready or not.
        expect([status === 429, headers.get('ratelimit')]).toEqual([false, null]);
      }
    }
  });

  it('count a call that another service makes for a client as the client’s', async () => {
    const carol = await fixture.user();
    await carol.send('GET', '/overview', undefined, from('198.51.100.7'));
    expect(fixture.notifications.headers['x-forwarded-for']).toBe('198.51.100.7');
  });
});
