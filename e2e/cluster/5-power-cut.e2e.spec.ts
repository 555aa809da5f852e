import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { MailboxClient, waitFor } from '#libs/testing';
import { Client } from '../client.js';
import { registration } from '../people.js';
import {
  baseUrl,
  fixed,
  itWith,
  nodeIsReady,
  nodeBeside,
  pods,
  print,
  rolledOut,
  run,
  since,
  upgrade,
  withMailbox,
} from './release.js';

/** Commands that power a node off and on again, and its name. */
const { NODE_STOP, NODE_START, NODE_NAME } = process.env;

describe('a power cut of the node with PostgreSQL, Kafka and half of the services', () => {
  const selector = 'nodeSelector.kubernetes\\.io/hostname';
  beforeAll(async () => {
    if (!NODE_STOP) return;
    await upgrade({
      ...fixed,
      [`postgresql.embedded.${selector}`]: NODE_NAME!,
      [`kafka.embedded.${selector}`]: NODE_NAME!,
      // Its mails are in the pod.
      [`smtp.embedded.${selector}`]: await nodeBeside(NODE_NAME!),
    });
  }, 400_000);
  afterAll(async () => {
    if (NODE_STOP) await upgrade(fixed);
  }, 400_000);

  itWith(NODE_STOP, NODE_START, NODE_NAME)(
    'in the middle of registrations: every 201 has its mail',
    async () => {
      expect((await pods('postgresql')).map(({ spec }) => spec.nodeName)).toEqual([NODE_NAME]);
      const api = new Client(baseUrl());
      const accepted: string[] = [];
      const ended = new AbortController();
      let refused = 0;
      const register = async () => {
        while (!ended.signal.aborted) {
          const person = registration();
          const status = await api.post('/users', person).then(
            (answer) => answer.status,
            () => 0,
          );
          if (status === 201) accepted.push(person.email);
          else {
            refused += 1;
            await sleep(200);
          }
        }
      };
      await withMailbox(async (url) => {
        const registering = Array.from({ length: 4 }, register);
        let atTheCut = 0;
        try {
          await waitFor(() => accepted.length >= 20, { timeout: 60_000, what: 'twenty registrations' });
          atTheCut = accepted.length;
          await run('sh', ['-c', NODE_STOP!]);
          await sleep(5000);
        } finally {
          ended.abort();
          await run('sh', ['-c', NODE_START!]);
        }
        await Promise.all(registering);
        const begun = Date.now();
        await waitFor(() => nodeIsReady(NODE_NAME!), { timeout: 120_000, interval: 500, what: 'the node to be back' });
        await rolledOut();
        const mailbox = new MailboxClient(url);
        for (const email of accepted) await mailbox.waitForMail(email, { timeout: 180_000 });
        print(
          `${accepted.length} accepted, ${atTheCut} before the cut, ${refused} refused; all mails there ${since(begun)} after the return`,
        );
        expect(accepted.length).toBeGreaterThanOrEqual(20);
      });
    },
    900_000,
  );
});
