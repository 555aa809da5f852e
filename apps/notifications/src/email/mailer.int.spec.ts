import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { loadSettings } from '#libs/service';
import { hasOpenssl, SecretVolume, TestAuthority, waitFor } from '#libs/testing';
import { settings } from '../config.js';
import { Mailer, type MailError } from './mailer.js';

const { SMTP_URL: _url, SMTP_CONNECTIONS, MAIL_FROM, SMTP_CA_FILE_PATH, ...others } = settings;
const mail = {
  messageId: '<1@tasklane.local>',
  to: { name: 'Ada', address: 'ada@example.com' },
  subject: 'Hello',
  text: 'Hello',
  html: '<p>Hello</p>',
  language: 'en',
};

// Its built-in certificate, about which it warns, suffices here.
beforeAll(() => void jest.spyOn(console, 'error').mockImplementation(() => {}));

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** Sends one mail to a server with these options, over a URL that ends in `query`; returns why that failed. */
async function send(options: SMTPServerOptions, { user = '', query = '' } = {}): Promise<MailError | undefined> {
  const server = new SMTPServer({ authOptional: true, closeTimeout: 100, disableReverseLookup: true, ...options });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const url = `${options.secure ? 'smtps' : 'smtp'}://${user}127.0.0.1:${port}${query}`;
  const mailer = mailerFor(url);
  ends.push(
    () => mailer.onApplicationShutdown(),
    () => new Promise<void>((resolve) => server.close(resolve)),
  );
  return mailer.send(mail).then(
    () => undefined,
    (error: MailError) => error,
  );
}

function mailerFor(url: string, ca?: string): Mailer {
  const env = { SMTP_URL: url, SMTP_CA_FILE_PATH: ca };
  const config = loadSettings({ SMTP_URL: _url, SMTP_CONNECTIONS, MAIL_FROM, SMTP_CA_FILE_PATH }, env);
  return new Mailer({ ...others, ...config } as never);
}

const refuse = (responseCode: number) => (done: (error: Error) => void) =>
  done(Object.assign(new Error('no, ada@example.com'), { responseCode }));

const drain: SMTPServerOptions['onData'] = (stream, _session, done) => {
  stream.resume().on('end', () => done());
};

describe('the mailer', () => {
  it.each<[string, SMTPServerOptions, { user?: string; query?: string }]>([
    ['in clear where the server offers nothing else', { disabledCommands: ['STARTTLS', 'AUTH'] }, {}],
    ['by STARTTLS', {}, { query: '?requireTLS=true&tls.rejectUnauthorized=false' }],
    ['by TLS', { secure: true }, { query: '?tls.rejectUnauthorized=false' }],
    [
      'with a password',
      {
        authOptional: false,
        onAuth: ({ password }, _session, done) => done(password === 'p@ss' ? null : new Error(), { user: 1 }),
      },
      { user: 'me:p%40ss@', query: '?tls.rejectUnauthorized=false' },
    ],
  ])('sends %s', async (_how, options, url) => {
    expect(await send({ onData: drain, ...options }, url)).toBeUndefined();
  });

  const plain: SMTPServerOptions = { disabledCommands: ['STARTTLS', 'AUTH'], onData: drain };
  it.each<[string, string, SMTPServerOptions, { user?: string; query?: string }]>([
    ['refused', 'the recipient for ever', { ...plain, onRcptTo: (_to, _session, done) => refuse(550)(done) }, {}],
    ['failed', 'the recipient for now', { ...plain, onRcptTo: (_to, _session, done) => refuse(450)(done) }, {}],
    ['failed', 'the sender', { ...plain, onMailFrom: (_from, _session, done) => refuse(553)(done) }, {}],
    [
      'refused',
      'the content for ever',
      { ...plain, onData: (stream, _session, done) => stream.resume().on('end', () => refuse(554)(done)) },
      {},
    ],
    [
      'failed',
      'the content for now',
      { ...plain, onData: (stream, _session, done) => stream.resume().on('end', () => refuse(451)(done)) },
      {},
    ],
    ['disconnected', 'a certificate nobody vouches for', { onData: drain }, { query: '?requireTLS=true' }],
    ['disconnected', 'a connection without the TLS that is asked for', plain, { query: '?requireTLS=true' }],
    [
      'disconnected',
      'a wrong password',
      { onData: drain, onAuth: (_auth, _session, done) => done(new Error('wrong password')) },
      { user: 'me:wrong@', query: '?tls.rejectUnauthorized=false' },
    ],
  ])('says %s for %s, without the address', async (kind, _what, options, url) => {
    const error = await send(options, url);
    expect(error?.kind).toBe(kind);
    expect(error?.message).not.toContain('@');
  });

  it('says disconnected when nobody listens, and then that the connection has a fault', async () => {
    const mailer = mailerFor('smtp://127.0.0.1:1');
    ends.push(() => mailer.onApplicationShutdown());
    await expect(mailer.send(mail)).rejects.toMatchObject({ kind: 'disconnected' });
    expect(await mailer.faultOfConnection()).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
  });

  (hasOpenssl ? it : it.skip)(
    'sends on after the mail server and the file have a new authority',
    async () => {
      const [former, next] = [new TestAuthority(), new TestAuthority()];
      const [{ 'tls.crt': cert, 'tls.key': key }, renewed] = [former.issue('IP:127.0.0.1'), next.issue('IP:127.0.0.1')];
      const volume = new SecretVolume({ 'ca.crt': former.certificate });
      const server = new SMTPServer({ authOptional: true, secure: true, cert, key, onData: drain, closeTimeout: 100 });
      server.on('error', () => {});
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.server.address() as AddressInfo;
      const mailer = mailerFor(`smtps://127.0.0.1:${port}`, volume.path('ca.crt'));
      ends.push(
        () => mailer.onApplicationShutdown(),
        () => new Promise<void>((resolve) => server.close(resolve)),
        () => [former, next, volume].forEach((made) => made.remove()),
      );
      await mailer.send(mail);
      server.updateSecureContext({ cert: renewed['tls.crt'], key: renewed['tls.key'] });
      expect(await mailer.faultOfConnection()).toMatchObject({ message: expect.stringContaining('certificate') });
      volume.write({ 'ca.crt': next.certificate });
      await waitFor(async () => (await mailer.faultOfConnection()) === undefined, { timeout: 10_000, interval: 200 });
      await mailer.send(mail);
    },
    20_000,
  );
});
