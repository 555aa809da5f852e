import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { MailboxClient, waitFor } from '#libs/testing';
import { Client } from '../client.js';
import { registration } from '../people.js';
import {
  baseUrl,
  fixed,
  fullname,
  isReady,
  kubectl,
  pods,
  print,
  restarts,
  underLoad,
  upgrade,
  withMailbox,
} from './release.js';

describe('an outage of', () => {
  beforeAll(() => upgrade(fixed), 400_000);

  const back = (component: string) =>
    waitFor(async () => (await pods(component)).some(isReady), { timeout: 180_000, interval: 100, what: component });

  it('PostgreSQL restarts no service; requests get 503 with Retry-After until it is back', async () => {
    const before = await restarts();
    let ready = 0;
    const report = await underLoad('PostgreSQL killed', async () => {
      const [pod] = await pods('postgresql');
      await sleep(2000);
      await kubectl('delete', 'pod', pod!.metadata.name, '--grace-period=0', '--force');
      const other = async () => (await pods('postgresql')).some((next) => next.metadata.uid !== pod!.metadata.uid);
      await waitFor(other, { timeout: 60_000, interval: 100, what: 'a new pod' });
      await back('postgresql');
      ready = Date.now();
      await sleep(15_000);
    });
    const late = (report.failedUntil ?? ready) - ready;
    print(
      `failing for ${((report.failedUntil ?? 0) - (report.failedFrom ?? 0)) / 1000} s, until ${late / 1000} s after its readiness`,
    );
    expect(report).toMatchObject({ abrupt: 0 });
    expect(report.failed).toBeGreaterThan(0);
    expect(late).toBeLessThan(10_000);
    expect(await restarts()).toEqual(before);
  });

  it('Kafka for a minute stops no writing; every mail arrives afterwards, once', async () => {
    const before = await restarts();
    const api = new Client(baseUrl());
    const people = Array.from({ length: 20 }, () => registration());
    await withMailbox(async (url) => {
      const report = await underLoad('Kafka away for a minute', async () => {
        const [pod] = await pods('kafka');
        await kubectl('scale', `statefulset/${fullname}-kafka`, '--replicas=0');
        await kubectl('delete', 'pod', pod!.metadata.name, '--grace-period=0', '--force', '--ignore-not-found');
        await sleep(10_000);
        for (const person of people) expect((await api.post('/users', person)).status).toBe(201);
        await sleep(50_000);
        await kubectl('scale', `statefulset/${fullname}-kafka`, '--replicas=1');
        await back('kafka');
      });
      expect(report).toMatchObject({ failed: 0 });
      const mailbox = new MailboxClient(url);
      const begun = Date.now();
      for (const { email } of people) await mailbox.waitForMail(email, { timeout: 120_000 });
      print(`all mails were there ${(Date.now() - begun) / 1000} s after its readiness`);
      for (const { email } of people) expect(await mailbox.list(email)).toHaveLength(1);
    });
    expect(await restarts()).toEqual(before);
  });
});
