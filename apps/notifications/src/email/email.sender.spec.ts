import { afterEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Health } from '#libs/service';
import { EmailSender } from './email.sender.js';

afterEach(() => void jest.restoreAllMocks());

/** A sender with stubs for its collaborators. */
function start(lease: () => Promise<unknown[]>, send: () => Promise<void>) {
  Logger.overrideLogger(false);
  const health = new Health();
  const recipient = { id: 'u', email: 'ada@example.com', firstName: 'Ada', lastName: 'L', language: 'en' };
  const sender = new EmailSender(
    { onAdded: () => undefined, lease, checkDatabase: lease } as never,
    { record: async () => true, stop: () => undefined } as never,
    { find: async () => new Map([['u', recipient]]) } as never,
    { render: () => ({}) } as never,
    { send, messageIdOf: () => '<1@x>' } as never,
    { stop: () => undefined, end: undefined } as never,
    { latency: { observe: () => undefined } } as never,
    health,
    { SMTP_CONNECTIONS: 5, MAIL_RETRY_DELAYS: [] } as never,
  );
  sender.onApplicationBootstrap();
  return { sender, fault: async () => health.liveness.get('sender')!() };
}

const passMinutes = (minutes: number) => {
  const now = performance.now();
  jest.spyOn(performance, 'now').mockImplementation(() => now + minutes * 60_000);
};

it('is not alive when sending a mail has come to a standstill', async () => {
  const { promise, resolve: end } = Promise.withResolvers<void>();
  const leases = [[{ id: 'd', template: 'welcome', userId: 'u', attempt: 1, eventTime: new Date() }]];
  const { sender, fault } = start(
    async () => leases.pop() ?? [],
    () => promise,
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await fault()).toBeUndefined();
  passMinutes(2);
  expect(await fault()).toMatch(/stuck|not looked/);
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(await fault()).toBe('a mail is stuck in sending');
  end();
  await sender.beforeApplicationShutdown();
  expect(await fault()).toBeUndefined();
});

it('is not alive when nobody looks for due mails any more', async () => {
  const { promise, resolve: end } = Promise.withResolvers<unknown[]>();
  const { sender, fault } = start(
    () => promise,
    async () => undefined,
  );
  expect(await fault()).toBeUndefined();
  passMinutes(2);
  expect(await fault()).toBe('has not looked for due mails for a minute');
  end([]);
  await sender.beforeApplicationShutdown();
});

it('stays alive while the database answers nothing but errors', async () => {
  const { sender, fault } = start(
    () => Promise.reject(new Error('ECONNREFUSED')),
    async () => undefined,
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  passMinutes(2);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(await fault()).toBeUndefined();
  await sender.beforeApplicationShutdown();
});
