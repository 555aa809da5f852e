import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { userRegistered } from '#libs/contracts';
import { uuidv7 } from '#libs/messaging';
import { Health } from '#libs/service';
import { ownPostgres, startApp, waitFor } from '#libs/testing';
import { DeliveryQueue } from '../deliveries/delivery-queue.js';
import { notifications } from '../service.js';
import { erase, user, register, type Replica, startReplica } from '../../test/replica.js';
import { Outage } from './outage.js';

const run = promisify(execFile);

let replica: Replica;
beforeAll(async () => {
  replica = await startReplica();
  Logger.overrideLogger(false);
});
afterEach(() => replica.mailbox.heal());
afterAll(() => replica.close());

describe('the sender', () => {
  it('tries again what the mail server refuses for now', async () => {
    replica.mailbox.inject({ answer: 451, times: 2 });
    const ada = user();
    await register(replica, ada);
    await replica.mailbox.client.waitForMail(ada.email);
    expect(await replica.delivery(ada.id, 'sent')).toMatchObject({ attempts: 3, last_error: null });
    expect(await replica.mailbox.client.list(ada.email)).toHaveLength(1);
  });

  it('gives up after the last delay, and says why', async () => {
    replica.mailbox.inject({ answer: 451 });
    const ada = user();
    await register(replica, ada);
    const delivery = await replica.delivery(ada.id, 'dead');
    expect(delivery).toMatchObject({ attempts: 5, last_error: expect.stringContaining('451'), lease: null });
  });

  it('gives up at once what the mail server refuses for ever, until it is redriven', async () => {
    replica.mailbox.inject({ answer: 550 });
    const ada = user();
    await register(replica, ada);
    const delivery = await replica.delivery(ada.id, 'dead');
    expect(delivery).toMatchObject({ attempts: 1, last_error: expect.stringContaining('refused by the test') });

    replica.mailbox.heal();
    expect(await redrive(replica, '--template', 'other')).toBe('0 dead mails are due again\n');
    expect(await redrive(replica)).toMatch(/^\d+ dead mails? (is|are) due again\n$/);
    await replica.mailbox.client.waitForMail(ada.email);
    expect(await replica.delivery(ada.id, 'sent')).toMatchObject({ attempts: 1 });
  });

  it('sits an outage of the mail server out without counting attempts, alive all the time', async () => {
    await replica.smtp.close();
    const users = Array.from({ length: 12 }, () => user());
    for (const user of users) await register(replica, user);
    await waitFor(() => replica.app.get(Outage).end !== undefined);
    await sleep(200);
    expect(await unhealthy(replica)).toEqual([]);
    await replica.smtp.open();
    for (const { id } of users) {
      expect(await replica.delivery(id, 'sent')).toMatchObject({ attempts: 1, last_error: null });
    }
  });

  it('counts an attempt when the mail itself ends the connection, and keeps its Message-ID', async () => {
    replica.mailbox.inject({ answer: 'cut', times: 1 });
    const ada = user();
    await register(replica, ada);
    const delivery = await replica.delivery(ada.id, 'sent');
    expect(delivery.attempts).toBe(2);
    const mails = await replica.mailbox.client.list(ada.email);
    expect(mails.map(({ MessageID }) => `<${MessageID}>`)).toEqual([delivery.message_id, delivery.message_id]);
  });

  it('cancels what is still to be sent to an account that is erased', async () => {
    replica.mailbox.inject({ answer: 451 });
    const ada = user();
    await register(replica, ada);
    await waitFor(async () => (await replica.deliveries(ada.id))[0]?.last_error);
    await erase(replica, ada.id);
    expect(await replica.delivery(ada.id, 'cancelled')).toMatchObject({ recipient: null, last_error: null });
    replica.mailbox.heal();
    await redrive(replica);
    expect(await replica.delivery(ada.id, 'cancelled')).toBeDefined();
    expect(await replica.mailbox.client.list(ada.email)).toEqual([]);
  });

  it('takes up what another sender leased and never finished, and does not let it overwrite the outcome', async () => {
    const queue = replica.app.get(DeliveryQueue);
    const ada = user();
    // The hanging sender: it has a lease of one second and is not heard of before that is over.
    await replica.sql(
      `INSERT INTO deliveries (event_id, template, user_id, event_time, lease, leased_until, attempts)
      VALUES ($1, 'welcome', $2, now(), $2, now() + interval '1 s', 1)`,
      [ada.id, ada.id],
    );
    const [row] = await replica.deliveries(ada.id);
    const hanging = {
      id: row!.id,
      template: 'welcome',
      userId: ada.id,
      attempt: 1,
      lease: ada.id,
      eventTime: new Date(),
      age: 0,
    };
    await register(replica, { ...ada, firstName: 'Other' }, uuidv7());
    await waitFor(async () => (await replica.deliveries(ada.id)).every(({ state }) => state === 'sent'));
    expect(await queue.retry(hanging, 0, 'late')).toBe(false);
    expect(await queue.end(hanging, 'dead', 'late')).toBe(false);
    expect(await queue.recordSent(hanging, '<late@x>', 'late@x')).toBe(false);
    expect((await replica.deliveries(ada.id)).find(({ id }) => id === row!.id)).toMatchObject({
      state: 'sent',
      attempts: 2,
      recipient: ada.email,
    });
  });

  it('shares 200 mails with a second replica, none twice', async () => {
    const { app: _app, url: _url, close: _close, ...first } = replica;
    const second = await startApp(notifications, first.env);
    try {
      const users = Array.from({ length: 200 }, () => user());
      await Promise.all(users.map((user) => register(replica, user)));
      await waitFor(async () => (await counted(users.map(({ id }) => id))) === 200, { timeout: 30_000 });
      const mails = await replica.mailbox.client.list();
      const received = mails.flatMap(({ To }) => To.map(({ Address }) => Address));
      const wanted = users.map(({ email }) => email);
      expect(received.filter((address) => wanted.includes(address)).sort()).toEqual(wanted.sort());
    } finally {
      await second.close();
    }
  });

  it('handles a registration that makes no sense as a dead letter and goes on', async () => {
    await replica.publish(userRegistered, 'x', { userId: 'not an id' });
    const ada = user();
    await register(replica, ada);
    expect(await replica.delivery(ada.id, 'sent')).toMatchObject({ attempts: 1 });
  });
});

describe('a database that is killed', () => {
  it('cannot make the sender forget a mail that was accepted meanwhile, nor fail its liveness', async () => {
    const postgres = await ownPostgres();
    const own = await startReplica({ DATABASE_URL: postgres.url });
    try {
      own.mailbox.inject({ delay: 500, times: 1 });
      const ada = user();
      await register(own, ada);
      await waitFor(async () => (await own.deliveries(ada.id))[0]?.lease);
      await postgres.kill();
      await own.mailbox.client.waitForMail(ada.email);
      await sleep(300);
      expect(await unhealthy(own)).toEqual([]);
      await postgres.start();
      expect(await own.delivery(ada.id, 'sent')).toMatchObject({ attempts: 1, recipient: ada.email });
      const eva = user();
      await register(own, eva);
      await own.delivery(eva.id, 'sent');
      expect(await own.mailbox.client.list(ada.email)).toHaveLength(1);
    } finally {
      await own.close();
      await postgres.remove();
    }
  });
});

async function redrive({ env }: Replica, ...options: string[]): Promise<string> {
  const { stdout } = await run('node', ['dist/apps/notifications/src/redrive.js', ...options], {
    env: { ...process.env, DATABASE_URL: env.DATABASE_URL },
  });
  return stdout;
}

async function unhealthy({ app }: Replica): Promise<string[]> {
  const faults = await Promise.all([...app.get(Health).liveness.values()].map(async (test) => test()));
  return faults.filter((fault) => fault !== undefined);
}

async function counted(ids: string[]): Promise<number> {
  const rows = await replica.sql(`SELECT 1 FROM deliveries WHERE user_id = ANY($1::uuid[]) AND state = 'sent'`, [ids]);
  return rows.length;
}
