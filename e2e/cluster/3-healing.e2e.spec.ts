import { beforeAll, describe, expect, it } from '@jest/globals';
import { MailboxClient, waitFor } from '#libs/testing';
import { newPerson } from '../people.js';
import { baseUrl, fixed, isReady, type Pod, pods, print, restartsOf, since, upgrade, withMailbox } from './release.js';
import { evaluateIn, imageOf, stopProcess } from './sabotage.js';

// Kubernetes alone detects and repairs the fault of a single process.
describe('by itself is replaced', () => {
  beforeAll(() => upgrade(fixed), 400_000);

  const ready = async (component: string) => (await pods(component)).find(isReady)!;
  const now = async ({ metadata }: Pod, component: string) =>
    (await pods(component)).find(({ metadata: { uid } }) => uid === metadata.uid)!;

  /** Breaks a pod and waits until its container was restarted and is ready. */
  async function mended(component: string, what: string, sabotage: (pod: Pod) => Promise<void>): Promise<Pod> {
    const pod = await ready(component);
    await sabotage(pod);
    const begun = Date.now();
    const restarted = async () => restartsOf(await now(pod, component)) > restartsOf(pod);
    await waitFor(restarted, { timeout: 240_000, interval: 500, what: 'a restart' });
    const noticed = since(begun);
    await waitFor(async () => isReady(await now(pod, component)), {
      timeout: 120_000,
      interval: 500,
      what: 'readiness',
    });
    print(`${what}: restarted after ${noticed}, ready again after ${since(begun)}`);
    return now(pod, component);
  }

  it('a process that was stopped (SIGSTOP), and at the same time one whose event loop hangs', async () => {
    await Promise.all([
      mended('todos', 'SIGSTOP', async (pod) => stopProcess(pod, await imageOf(pod))),
      mended('users', 'a hung event loop', (pod) => evaluateIn(pod, 'for (;;);')),
    ]);
  });

  it('a process that leaks past its memory limit', async () => {
    const leak = 'globalThis.leak = []; setInterval(() => leak.push(Buffer.alloc(16 << 20, 1)), 100); 0';
    const pod = await mended('todos', 'a leak', (broken) => evaluateIn(broken, leak));
    expect(pod.status.containerStatuses![0]!.lastState.terminated).toMatchObject({ reason: 'OOMKilled' });
  });

  it('a consumer that is stuck; what it held up is done by its successor, once', async () => {
    await withMailbox(async (url) => {
      const target = { baseUrl: baseUrl(), mailboxUrl: url, own: false };
      const people: string[] = [];
      await mended('notifications', 'a stuck consumer', async (pod) => {
        await evaluateIn(pod, 'function () { this.add = () => new Promise(() => {}); }', 'DeliveryQueue');
        // Enough for every partition.
        for (let n = 0; n < 30; n++) people.push((await newPerson(target)).email);
      });
      const mailbox = new MailboxClient(url);
      for (const email of people) {
        await mailbox.waitForMail(email, { timeout: 120_000 });
        expect(await mailbox.list(email)).toHaveLength(1);
      }
    });
  });
});
