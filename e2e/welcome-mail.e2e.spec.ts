import { beforeAll, describe, expect, it } from '@jest/globals';
import { MailboxClient } from '#libs/testing';
import { newPerson, type Registration } from './people.js';
import { findTarget, type Target } from './target.js';

describe('the welcome mail', () => {
  let target: Target;
  let mailbox: MailboxClient;

  beforeAll(async () => {
    target = await findTarget();
    mailbox = new MailboxClient(target.mailboxUrl);
  }, 150_000);

  const mailTo = async (given: Partial<Registration>) => {
    const { email } = await newPerson(target, given);
    return mailbox.waitForMail(email);
  };

  it('is in English by default, as HTML and as text', async () => {
    const mail = await mailTo({ firstName: 'Grace', lastName: 'Hopper' });
    expect(mail.Subject).toBe('Welcome to Tasklane, Grace');
    expect(mail.Text).toMatch(/^Welcome, Grace!/m);
    expect(mail.HTML).toContain('Welcome, Grace!');
    expect(mail.HTML).toContain('lang="en"');
    expect(mail.From.Address).toContain('@');
  });

  it('is in German for a German account', async () => {
    const mail = await mailTo({ firstName: 'Käthe', lastName: 'Groß', language: 'de' });
    expect(mail.Subject).toBe('Willkommen bei Tasklane, Käthe');
    expect(mail.Text).toMatch(/^Willkommen, Käthe!/m);
    expect(mail.HTML).toContain('lang="de"');
    expect(mail.HTML).toContain('Käthe Groß');
  });

  it('shows a name as it is, and nothing of what is no name', async () => {
    const mail = await mailTo({ firstName: 'Zoë-Anne', lastName: "O'Neill" });
    expect(mail.Text).toContain("Zoë-Anne O'Neill");
    const { Text, HTML } = await mailTo({ firstName: '<b>Bob</b>', lastName: 'see https://evil.example' });
    expect(Text + HTML).not.toMatch(/Bob|evil/);
  });

  it('goes to the right person, once, with a Message-ID', async () => {
    const { email } = await newPerson(target, { firstName: 'Once' });
    const mail = await mailbox.waitForMail(email);
    expect(mail.To).toEqual([{ Name: 'Once Lovelace', Address: email }]);
    expect(mail.MessageID).toMatch(/^[0-9a-f-]{36}@/);
    expect(await mailbox.list(email)).toHaveLength(1);
  });
});
