import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type JsonAnswer, type OwnKafka, ownKafka, sendJson, startApp, type TestApp, waitFor } from '#libs/testing';
import { type Caller, TodosFixture } from '../../test/todos-fixture.js';
import { todos } from '../service.js';

type Overview = (caller: Caller) => Promise<JsonAnswer>;
const HIT = 'tasklane; hit';
const BYPASS = 'tasklane; fwd=bypass';
const statusOf = ({ headers }: JsonAnswer) => headers.get('cache-status');

/** How one pod answers the overview of a caller. */
const at =
  ({ url }: Pick<TestApp, 'url'>, token: (caller: Caller) => string): Overview =>
  (caller) =>
    sendJson('GET', `${url}/api/v1/overview`, { token: token(caller) });

describe('overviews of two pods', () => {
  let fixture: TodosFixture;
  let second: TestApp;
  let pods: Overview[];
  const tokens = new Map<string, string>();
  beforeAll(async () => {
    fixture = await TodosFixture.start();
    second = await startApp(todos, fixture.service.env);
    pods = [fixture.service, second].map((pod) => at(pod, ({ id }) => tokens.get(id)!));
  });
  afterAll(async () => {
    await second.close();
    await fixture.close();
  });

  async function person(): Promise<Caller> {
    const caller = await fixture.user();
    tokens.set(caller.id, await fixture.issuer.token(caller.id));
    return caller;
  }

  /** Asks until it comes from the cache of each pod. */
  async function cached(caller: Caller): Promise<void> {
    for (const overview of pods) await waitFor(async () => statusOf(await overview(caller)) === HIT, { what: 'a hit' });
  }

  it('ask other services once, and read the lists every time', async () => {
    const ada = await person();
    // Asks users about the owner of a first list.
    const first = await ada.list('Groceries');
    await cached(ada);
    const calls = fixture.users.calls + fixture.notifications.calls;
    const other = await ada.list('Books');
    for (const overview of pods) {
      const answer = await overview(ada);
      expect([statusOf(answer), answer.body.lists.items.map((list: { id: string }) => list.id)]).toEqual([
        HIT,
        [first.id, other.id],
      ]);
      expect(answer.body).toMatchObject({ profile: { id: ada.id }, notifications: { unread: 3 }, degraded: [] });
    }
    expect(fixture.users.calls + fixture.notifications.calls).toBe(calls);
  });

  it('are of the caller alone', async () => {
    const [ada, eve] = [await person(), await person()];
    await cached(ada);
    for (const overview of pods) {
      const answer = await overview(eve);
      expect(answer.body.profile.id).toBe(eve.id);
      expect(statusOf(answer)).not.toBe(HIT);
    }
    const refused = await sendJson('GET', `${second.url}/api/v1/overview`, {});
    expect([refused.status, refused.headers.get('cache-status')]).toEqual([401, null]);
  });

  it('are sent again only when they differ, and to nobody else', async () => {
    const [ada, eve] = [await person(), await person()];
    const first = await ada.send('GET', '/overview');
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    expect(first.headers.get('vary')).toBe('Authorization');
    const known = { 'if-none-match': first.headers.get('etag')! };
    const ask = (caller: Caller, query = '') => caller.send('GET', `/overview${query}`, undefined, known);
    expect((await ask(ada)).status).toBe(304);
    expect((await ask(eve)).body.profile.id).toBe(eve.id);
    expect((await ask(ada, '?view=compact')).body.profile).toEqual([ada.id, 'Ada']);
    await ada.list('Groceries');
    expect((await ask(ada)).body.lists.items).toHaveLength(1);
  });

  it('are answered anew to whoever asks for that, and to nobody who asks for too much', async () => {
    const ada = await person();
    await cached(ada);
    const anew = await ada.send('GET', '/overview', undefined, { 'cache-control': 'no-cache' });
    expect(statusOf(anew)).toBe('tasklane; fwd=request');
    expect(statusOf(await pods[0]!(ada))).toBe(HIT);
  });

  it('keep nothing of a service that is away, and what the other one said', async () => {
    const ada = await person();
    fixture.notifications.mode = 'failing';
    await waitFor(async () => (await pods[0]!(ada)).body.degraded.join() === 'notifications');
    fixture.notifications.mode = 'well';
    await waitFor(async () => (await pods[0]!(ada)).body.degraded.length === 0);
    await cached(ada);
  });

  it('follow a change within a second', async () => {
    const ada = await person();
    const times: number[] = [];
    for (let change = 1; change <= 100; change++) {
      await cached(ada);
      fixture.users.add(ada.id, { firstName: `Ada ${change}` });
      await fixture.expire(ada.id);
      const sent = performance.now();
      await Promise.all(
        pods.map(async (overview) => {
          const isNew = async () => (await overview(ada)).body.profile.firstName === `Ada ${change}`;
          await waitFor(isNew, { interval: 1, what: `change ${change}` });
          times.push(performance.now() - sent);
        }),
      );
    }
    times.sort((a, b) => a - b);
    const [half, most] = [0.5, 0.99].map((part) => times[Math.floor(times.length * part)]!.toFixed(1));
    process.stdout.write(`a change is seen in every pod's overview after ${half} ms (p50), ${most} ms (p99)\n`);
  }, 60_000);
});

describe('overviews without Kafka', () => {
  let kafka: OwnKafka;
  let fixture: TodosFixture;
  beforeAll(async () => {
    kafka = await ownKafka();
    fixture = await TodosFixture.start({ KAFKA_BROKERS: kafka.brokers });
  }, 60_000);
  afterAll(async () => {
    await fixture.close();
    await kafka.remove();
  });

  it('are never from the cache, and are again when it is back', async () => {
    const ada = await fixture.user();
    const overview = () => ada.send('GET', '/overview');
    await waitFor(async () => statusOf(await overview()) === HIT, { what: 'a hit' });
    await kafka.kill();
    await sleep(1100);
    for (let change = 1; change <= 50; change++) {
      fixture.users.add(ada.id, { firstName: `Ada ${change}` });
      const answer = await overview();
      expect([statusOf(answer), answer.body.profile?.firstName]).toEqual([BYPASS, `Ada ${change}`]);
      await sleep(20);
    }
    await kafka.start();
    await waitFor(async () => statusOf(await overview()) === HIT, { what: 'a hit after the outage', timeout: 40_000 });
  }, 90_000);
});
