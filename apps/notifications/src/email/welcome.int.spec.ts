import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { userChanged, userRegistered } from '#libs/contracts';
import { uuidv7 } from '#libs/messaging';
import { waitFor } from '#libs/testing';
import { person, register, type Replica, startReplica } from '../../testing/replica.js';

let replica: Replica;
beforeAll(async () => {
  replica = await startReplica();
});
afterAll(() => replica.close());

describe('the welcome mail', () => {
  it('reaches a person who registered, by name, and is recorded', async () => {
    const ada = person({ firstName: 'Ada', lastName: 'Lovelace' });
    await register(replica, ada);
    const mail = await replica.mailbox.client.waitForMail(ada.email);
    expect(mail.Subject).toBe('Welcome to Tasklane, Ada');
    expect(mail.To).toEqual([expect.objectContaining({ Name: 'Ada Lovelace', Address: ada.email })]);
    expect(mail.From).toMatchObject({ Name: 'Tasklane', Address: 'no-reply@tasklane.local' });
    expect(mail.Text).toContain('http://127.0.0.1:3000');
    const delivery = await waitFor(async () => (await deliveriesOf(ada.id)).find(({ state }) => state === 'sent'));
    expect(delivery).toMatchObject({
      template: 'welcome',
      attempts: 1,
      recipient: ada.email,
      last_error: null,
      lease: null,
    });
    expect(delivery.message_id).toBe(`<${String(delivery.id)}@tasklane.local>`);
    const headers = await replica.mailbox.client.headers(mail.ID);
    expect(headers).toMatchObject({ 'Message-ID': [delivery.message_id], 'Auto-Submitted': ['auto-generated'] });
  });

  it('comes in the language of the account', async () => {
    const ada = person({ language: 'de-AT' });
    await register(replica, ada);
    const mail = await replica.mailbox.client.waitForMail(ada.email);
    expect(mail.Subject).toBe('Willkommen bei Tasklane, Ada');
  });

  it('comes once, however often the event comes', async () => {
    const ada = person();
    const eventId = uuidv7();
    await register(replica, ada, eventId);
    await replica.mailbox.client.waitForMail(ada.email);
    await replica.publish(userRegistered, ada.id, { userId: ada.id }, eventId);
    // Even when the inbox has forgotten the event.
    await replica.sql('DELETE FROM inbox WHERE event_id = $1', [eventId]);
    await replica.publish(userRegistered, ada.id, { userId: ada.id }, eventId);
    await waitFor(async () => (await replica.sql('SELECT 1 FROM inbox WHERE event_id = $1', [eventId])).length === 1);
    await settled(ada.id);
    expect(await replica.mailbox.client.list(ada.email)).toHaveLength(1);
  });

  it('waits for the copy of an account that comes late, without counting attempts', async () => {
    const ada = person();
    await replica.publish(userRegistered, ada.id, { userId: ada.id });
    await waitFor(async () => (await deliveriesOf(ada.id))[0]?.last_error !== null);
    await replica.publish(userChanged, ada.id, ada);
    await replica.mailbox.client.waitForMail(ada.email);
    expect(await settled(ada.id)).toMatchObject([{ state: 'sent', attempts: 1, last_error: null }]);
  });
});

const deliveriesOf = (userId: string) => replica.sql('SELECT * FROM deliveries WHERE user_id = $1', [userId]);

async function settled(userId: string) {
  await waitFor(async () => (await deliveriesOf(userId)).every(({ state }) => state !== 'pending'));
  return deliveriesOf(userId);
}
