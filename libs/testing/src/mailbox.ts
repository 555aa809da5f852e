import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MailMessage, MailSummary } from '#local/mailbox/mail-store.js';
import * as local from '#local/mailbox/mailbox.js';
import { freePort } from '#local/supervise/ports.js';
import { scratchDirectory } from './scratch.js';
import { waitFor } from './wait-for.js';

export type { MailMessage, MailSummary };

/** Reads a mailbox, that of `npm start` or Mailpit: their API is the same. */
export class MailboxClient {
  /** @param url its web address, such as http://127.0.0.1:8025 */
  constructor(readonly url: string) {}

  /** Mails, newest first, optionally only those to one address. */
  async list(to?: string): Promise<MailSummary[]> {
    const path = to ? `search?query=${encodeURIComponent(`to:"${to}"`)}&` : 'messages?';
    const mails: MailSummary[] = [];
    for (;;) {
      const page = (await this.get(`${path}start=${mails.length}&limit=500`)) as { messages: MailSummary[] };
      mails.push(...page.messages);
      if (page.messages.length < 500) return mails;
    }
  }

  message(id: string): Promise<MailMessage> {
    return this.get(`message/${id}`) as Promise<MailMessage>;
  }

  headers(id: string): Promise<{ [name: string]: string[] }> {
    return this.get(`message/${id}/headers`) as Promise<{ [name: string]: string[] }>;
  }

  /** Waits for a mail to this address (with a matching subject, if given) and returns the newest. */
  async waitForMail(
    to: string,
    { subject = /^/, timeout = 15_000 }: { subject?: RegExp; timeout?: number } = {},
  ): Promise<MailMessage> {
    const find = async () => (await this.list(to)).find((mail) => subject.test(mail.Subject));
    const { ID } = await waitFor(find, { timeout, interval: 50, what: `a mail to ${to}` });
    return this.message(ID);
  }

  async deleteAll(): Promise<void> {
    await fetch(`${this.url}/api/v1/messages`, { method: 'DELETE' });
  }

  private async get(path: string): Promise<unknown> {
    const response = await fetch(`${this.url}/api/v1/${path}`);
    if (!response.ok) throw new Error(`the mailbox answered ${response.status} to ${path}`);
    return response.json();
  }
}

export interface MailFault {
  /** Refuse with this SMTP code (451 temporary, 550 permanent), or store the mail and cut the connection before the answer. */
  answer?: 451 | 550 | 'cut';
  /** In milliseconds, before the answer. */
  delay?: number;
  times?: number;
}

export interface TestMailbox {
  smtpUrl: string;
  client: MailboxClient;
  inject(fault: MailFault): void;
  heal(): void;
  stop(): Promise<void>;
}

export async function startMailbox(): Promise<TestMailbox> {
  const directory = scratchDirectory('mailbox');
  const [smtpPort, httpPort] = [await freePort(), await freePort()];
  let fault: MailFault = {};
  let left = 0;
  const judge = async (): Promise<local.Verdict> => {
    if (left-- <= 0) return 'accept';
    const { answer = 'accept', delay = 0 } = fault;
    await sleep(delay);
    return typeof answer === 'number' ? { code: answer, message: 'refused by the test' } : answer;
  };
  const mailbox = await local.startMailbox({ directory, smtpPort, httpPort, judge });
  return {
    smtpUrl: `smtp://127.0.0.1:${smtpPort}`,
    client: new MailboxClient(`http://127.0.0.1:${httpPort}`),
    inject: (next) => {
      fault = next;
      left = next.times ?? Infinity;
    },
    heal: () => {
      left = 0;
    },
    stop: async () => {
      await mailbox.stop();
      rmSync(directory, { recursive: true });
    },
  };
}
