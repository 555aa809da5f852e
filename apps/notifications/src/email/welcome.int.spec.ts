import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { userChanged, userRegistered } from '#libs/contracts';
import { uuidv7 } from '#libs/messaging';
import { waitFor } from '#libs/testing';
import { erase, user, register, type Replica, startReplica } from '../../test/replica.js';

let replica: Replica;
beforeAll(async () => {
  replica = await startReplica();
});
afterAll(() => replica.close());

describe('the welcome mail', () => {
  it('reaches a user who registered, by name, and is recorded', async () => {
    const ada = user({ firstName: 'Ada', lastName: 'Lovelace' });
    await register(replica, ada);
    const mail = await replica.mailbox.client.waitForMail(ada.email);
    expect(mail.Subject).toBe('Welcome to Tasklane, Ada');
    expect(mail.To).toEqual([expect.objectContaining({ Name: 'Ada Lovelace', Address: ada.email })]);
    expect(mail.From).toMatchObject({ Name: 'Tasklane', Address: 'no-reply@tasklane.local' });
    expect(mail.Text).toContain('http://127.0.0.1:3000');
    const delivery = await replica.delivery(ada.id, 'sent');
    expect(delivery).toMatchObject({ template: 'welcome', attempts: 1, recipient: ada.email, last_error: null });
    expect(delivery.message_id).toBe(`<${delivery.id}@tasklane.local>`);
    const headers = await replica.mailbox.client.headers(mail.ID);
    expect(headers).toMatchObject({ 'Message-ID': [delivery.message_id], 'Auto-Submitted': ['auto-generated'] });
  });

  it('comes in the language of the account', async () => {
    const ada = user({ language: 'de-AT' });
    await register(replica, ada);
    const mail = await replica.mailbox.client.waitForMail(ada.email);
    expect(mail.Subject).toBe('Willkommen bei Tasklane, Ada');
  });

  it('cannot be given other headers or receivers by a name or an address', async () => {
    const names = { firstName: 'Ada\r\nBcc: eve@example.com', lastName: 'L"\r\n\r\nX-Evil: 1 <script>' };
    const ada = user(names);
    await register(replica, ada);
    const mail = await replica.mailbox.client.waitForMail(ada.email);
    expect(mail.Subject).toBe('Welcome to Tasklane');
    expect([...mail.To, ...mail.Cc].map(({ Address }) => Address)).toEqual([ada.email]);
    expect(Object.keys(await replica.mailbox.client.headers(mail.ID))).not.toContain('X-Evil');
    expect(mail.HTML).not.toContain('<script>');

    const two = user({ email: 'eve@example.com>\r\nRCPT TO:<mallory@example.com' });
    await register(replica, two);
    await replica.delivery(two.id, 'dead');
    const pair = user({ email: 'eve@example.com, mallory@example.com' });
    await register(replica, pair);
    await replica.delivery(pair.id, 'dead');
    expect(await replica.mailbox.client.list('mallory@example.com')).toEqual([]);
  });

  it('comes once, however often the event comes', async () => {
    const ada = user();
    const eventId = uuidv7();
    await register(replica, ada, eventId);
    await replica.mailbox.client.waitForMail(ada.email);
    await replica.publish(userRegistered, ada.id, { userId: ada.id }, eventId);
    // Even when the inbox has forgotten the event.
    await replica.sql('DELETE FROM inbox WHERE event_id = $1', [`/users ${eventId}`]);
    await replica.publish(userRegistered, ada.id, { userId: ada.id }, eventId);
    await waitFor(
      async () => (await replica.sql('SELECT 1 FROM inbox WHERE event_id = $1', [`/users ${eventId}`])).length === 1,
    );
    await replica.delivery(ada.id, 'sent');
    expect(await replica.mailbox.client.list(ada.email)).toHaveLength(1);
  });

  it('is not sent when too many were asked for already', async () => {
    const [ada, bob] = [user(), user()];
    for (const someone of [ada, bob]) await replica.publish(userChanged, someone.id, someone);
    // Of the same key, so that the one is handled when the other is.
    await replica.publish(userRegistered, ada.id, { userId: ada.id, welcome: false });
    await replica.publish(userRegistered, ada.id, { userId: bob.id });
    await replica.delivery(bob.id, 'sent');
    expect(await replica.deliveries(ada.id)).toEqual([]);
  });

  it('waits for the copy of an account that comes late, without counting attempts', async () => {
    const ada = user();
    await replica.publish(userRegistered, ada.id, { userId: ada.id });
    await waitFor(async () => (await replica.deliveries(ada.id))[0]?.last_error);
    await replica.publish(userChanged, ada.id, ada);
    await replica.mailbox.client.waitForMail(ada.email);
    expect(await replica.delivery(ada.id, 'sent')).toMatchObject({ attempts: 1, last_error: null });
  });

  it('does not go to an account that is erased before its registration is heard of', async () => {
    const ada = user();
    await replica.publish(userChanged, ada.id, ada);
    await erase(replica, ada.id);
    await waitFor(async () => (await recipient(ada.id))?.erased_at);
    await replica.publish(userRegistered, ada.id, { userId: ada.id });
    expect(await replica.delivery(ada.id, 'cancelled')).toMatchObject({ recipient: null });
    expect(await replica.mailbox.client.list(ada.email)).toEqual([]);
  });

  it('leaves no personal data behind when the account is erased', async () => {
    const ada = user();
    await register(replica, ada);
    await replica.delivery(ada.id, 'sent');
    await erase(replica, ada.id);
    await waitFor(async () => (await recipient(ada.id))?.erased_at);
    expect(await recipient(ada.id)).toMatchObject({ email: null, first_name: null, last_name: null, language: null });
    expect(await replica.deliveries(ada.id)).toMatchObject([{ state: 'sent', recipient: null }]);
    // A state that was sent before the erasure cannot restore the user.
    await replica.publish(userChanged, ada.id, { ...ada, version: 2 });
    const later = user();
    await replica.publish(userChanged, later.id, later);
    await waitFor(() => recipient(later.id));
    expect(await recipient(ada.id)).toMatchObject({ email: null });
  });

  it('goes to the newest address, and an older state changes nothing', async () => {
    const ada = user({ version: 3 });
    await replica.publish(userChanged, ada.id, ada);
    await replica.publish(userChanged, ada.id, { ...ada, version: 2, email: 'old@example.com' });
    await replica.publish(userChanged, ada.id, { ...ada, version: 4, firstName: 'Augusta' });
    await waitFor(async () => (await recipient(ada.id))?.version === 4);
    await replica.publish(userRegistered, ada.id, { userId: ada.id });
    const mail = await replica.mailbox.client.waitForMail(ada.email);
    expect(mail.Subject).toBe('Welcome to Tasklane, Augusta');
  });
});

async function recipient(id: string): Promise<Record<string, unknown> | undefined> {
  return (await replica.sql('SELECT * FROM recipients WHERE id = $1', [id]))[0];
}
