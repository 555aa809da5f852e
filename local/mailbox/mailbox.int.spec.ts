import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createTransport } from 'nodemailer';
import { MailboxClient, scratchDirectory, startMailbox as startTestMailbox, type TestMailbox } from '#libs/testing';
import { startMailbox } from './mailbox.js';
import { freePort } from '../supervise/ports.js';

const mail = (to: string, extra: object = {}) => ({
  from: 'Tasklane <no-reply@tasklane.local>',
  to,
  subject: 'Grüß Gott, Ada',
  text: 'Hello  Ada,\nwelcome – hier geht’s los.',
  html: '<p>Hello <b>Ada</b></p><script>alert(1)</script>',
  messageId: '<7@tasklane>',
  headers: { 'X-Delivery': '7' },
  ...extra,
});

describe('the mailbox', () => {
  let mailbox: TestMailbox;
  beforeAll(async () => {
    mailbox = await startTestMailbox();
  });
  afterEach(async () => {
    mailbox.heal();
    await mailbox.client.deleteAll();
  });
  afterAll(() => mailbox.stop());

  const send = (to: string, extra?: object) => createTransport(mailbox.smtpUrl).sendMail(mail(to, extra));
  const get = (path: string) => fetch(`${mailbox.client.url}${path}`);

  it('lists mails, newest first, in the words of Mailpit', async () => {
    await send('Ada Lovelace <Ada@example.org>', { bcc: 'hidden@example.org' });
    await send('bob@example.org', { subject: 'second', attachments: [{ filename: 'a.txt', content: 'a' }] });
    const body = await (await get('/api/v1/messages')).json();
    expect(body).toMatchObject({ total: 2, messages_count: 2, start: 0 });
    expect((body as { messages: unknown[] }).messages).toEqual([
      expect.objectContaining({ Subject: 'second', Attachments: 1 }),
      {
        ID: expect.stringMatching(/^\w+$/),
        MessageID: '7@tasklane',
        From: { Name: 'Tasklane', Address: 'no-reply@tasklane.local' },
        To: [{ Name: 'Ada Lovelace', Address: 'ada@example.org' }],
        Cc: [],
        Bcc: [{ Name: '', Address: 'hidden@example.org' }],
        Subject: 'Grüß Gott, Ada',
        Created: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        Size: expect.any(Number),
        Attachments: 0,
        Snippet: 'Hello Ada, welcome – hier geht’s los.',
      },
    ]);
  });

  it('gives a whole mail and its headers', async () => {
    await send('ada@example.org');
    const found = await mailbox.client.waitForMail('ada@example.org', { subject: /Gott/ });
    expect(found).toMatchObject({ MessageID: '7@tasklane', Text: mail('').text + '\n', HTML: expect.any(String) });
    expect(await mailbox.client.headers(found.ID)).toMatchObject({ 'X-Delivery': ['7'] });
    expect((await get('/api/v1/message/unknown')).status).toBe(404);
  });

  it('pages, and finds by address', async () => {
    for (const name of ['a', 'b', 'c', 'b']) await send(`${name}@example.org`, { subject: name });
    const page = (await (await get('/api/v1/messages?start=1&limit=2')).json()) as { messages: { Subject: string }[] };
    expect(page.messages.map(({ Subject }) => Subject)).toEqual(['c', 'b']);
    expect(await mailbox.client.list('b@example.org')).toHaveLength(2);
    expect((await get('/api/v1/search?query=subject:x')).status).toBe(400);
  });

  it('shows HTML without letting it run anything', async () => {
    await send('ada@example.org');
    const [{ ID } = { ID: '' }] = await mailbox.client.list();
    const view = await get(`/view/${ID}`);
    expect(view.headers.get('content-security-policy')).toMatch(/^sandbox allow-popups [^;]*; default-src 'none'/);
    expect(await view.text()).toContain('<b>Ada</b>');
    expect(await (await get('/')).text()).toContain('<h1>Mailbox</h1>');
  });

  it('keeps mails when it is started again, but no half-written one', async () => {
    const directory = scratchDirectory('mailbox');
    const ports = { smtpPort: await freePort(), httpPort: await freePort() };
    const client = new MailboxClient(`http://127.0.0.1:${ports.httpPort}`);
    const first = await startMailbox({ directory, ...ports });
    for (const name of ['a', 'b']) {
      await createTransport(`smtp://127.0.0.1:${ports.smtpPort}`).sendMail(mail(`${name}@example.org`));
    }
    await first.stop();
    writeFileSync(join(directory, 'x.json.unfinished'), '{"summ');
    const second = await startMailbox({ directory, ...ports });
    expect((await client.list()).map(({ To }) => To[0]?.Address)).toEqual(['b@example.org', 'a@example.org']);
    expect(readdirSync(directory)).toHaveLength(2);
    await second.stop();
    rmSync(directory, { recursive: true });
  });

  it.each([451, 550] as const)('refuses with %i as often as a test asks', async (answer) => {
    mailbox.inject({ answer, times: 1 });
    await expect(send('ada@example.org')).rejects.toMatchObject({ responseCode: answer });
    expect(await mailbox.client.list()).toEqual([]);
    await send('ada@example.org');
    expect(await mailbox.client.list()).toHaveLength(1);
  });

  it('can keep a mail and cut the connection before it says so', async () => {
    mailbox.inject({ answer: 'cut', times: 1 });
    await expect(send('ada@example.org')).rejects.toThrow('closed');
    expect(await mailbox.client.list()).toHaveLength(1);
  });

  it('can answer late', async () => {
    mailbox.inject({ delay: 300 });
    const answered: string[] = [];
    const late = send('ada@example.org').then(() => answered.push('late'));
    await get('/livez');
    answered.push('soon');
    await late;
    expect(answered).toEqual(['soon', 'late']);
  });
});
