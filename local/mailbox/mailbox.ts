import { once } from 'node:events';
import { createServer } from 'node:http';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { MailStore } from './mail-store.js';
import { answerMailbox } from './mailbox-api.js';

/** The fate of a mail: stored, refused with an SMTP reply, or stored but the connection is cut before the answer. */
export type Verdict = 'accept' | 'cut' | { code: number; message: string };

export interface MailboxOptions {
  directory: string;
  smtpPort: number;
  httpPort: number;
  judge?: () => Verdict | Promise<Verdict>;
}

export interface Mailbox {
  stop(): Promise<void>;
}

const largestMail = 10 << 20;

/** Receives mail by SMTP and shows it by HTTP, both on the loopback address. Nothing is forwarded. */
export async function startMailbox({ directory, smtpPort, httpPort, judge }: MailboxOptions): Promise<Mailbox> {
  const store = new MailStore(directory);

  async function receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const raw = Buffer.concat(await stream.toArray());
    if (stream.sizeExceeded) throw reply(552, 'the mail is too large');
    const verdict = (await judge?.()) ?? 'accept';
    if (typeof verdict === 'object') throw reply(verdict.code, verdict.message);
    const receivers = session.envelope.rcptTo.map(({ address }) => address);
    await store.add(raw, receivers);
    if (verdict === 'cut') {
      for (const connection of smtp.connections) if (connection.id === session.id) connection._socket.destroy();
    }
  }

  const smtp = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: largestMail,
    closeTimeout: 200,
    onData: (stream, session, done) => {
      receive(stream, session).then(() => done(), done);
    },
  });
  // Clients may disconnect at any time.
  smtp.on('error', () => {});
  const http = createServer((request, response) => {
    answerMailbox(store, request, response).catch(() => response.writeHead(400).end());
  });
  smtp.listen(smtpPort, '127.0.0.1');
  http.listen(httpPort, '127.0.0.1');
  await Promise.all([once(smtp.server, 'listening'), once(http, 'listening')]);

  return {
    stop: async () => {
      http.close();
      http.closeAllConnections();
      await new Promise<void>((resolve) => smtp.close(() => resolve()));
    },
  };
}

function reply(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
