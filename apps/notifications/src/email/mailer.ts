import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type SMTPPoolOptions, type SMTPPoolSentMessageInfo, type Transporter } from 'nodemailer';
import { Certificates, CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import type { RenderedMail } from './templates.js';

export interface OutgoingMail extends RenderedMail {
  messageId: string;
  to: { name: string; address: string };
}

/** The longest that sending one mail can take, in milliseconds; leases must be longer. */
export const SEND_LIMIT = 30_000;

/**
 * Why a mail was not accepted. `refused`: the server will never accept it for this recipient (RFC 5321 §4.2.1, 5yz).
 * `disconnected`: there was no working connection. `failed`: anything else.
 */
export class MailError extends Error {
  constructor(
    readonly kind: 'refused' | 'disconnected' | 'failed',
    message: string,
  ) {
    super(message);
  }
}

/** The connections to the mail server. */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  private transport: Transporter<SMTPPoolSentMessageInfo, SMTPPoolOptions>;
  private readonly unfollow: () => void;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    const certificates = new Certificates(config, { ca: 'SMTP_CA_FILE_PATH' });
    this.transport = this.connect(certificates.current);
    this.unfollow = certificates.follow((pem) => {
      const { transport } = this;
      this.transport = this.connect(pem);
      transport.close();
    });
  }

  private connect({ ca }: { ca?: Buffer }): Transporter<SMTPPoolSentMessageInfo, SMTPPoolOptions> {
    const { config } = this;
    return createTransport({
      pool: true,
      url: config.SMTP_URL,
      maxConnections: config.SMTP_CONNECTIONS,
      connectionTimeout: 10_000,
      greetingTimeout: 10_000,
      dnsTimeout: 10_000,
      socketTimeout: 20_000,
      disableFileAccess: true,
      disableUrlAccess: true,
      ...(ca && { tls: { ca } }),
    });
  }

  /** Derives a Message-ID (RFC 5322 §3.6.4) that is the same at every attempt. */
  messageIdOf(deliveryId: string): string {
    return `<${deliveryId}@${this.config.MAIL_FROM.address.split('@')[1]}>`;
  }

  /** Returns when the mail server has accepted the mail. @throws MailError */
  async send({ messageId, to, subject, text, html, language }: OutgoingMail): Promise<void> {
    try {
      await this.transport.sendMail({
        from: this.config.MAIL_FROM,
        to,
        messageId,
        subject,
        text,
        html,
        // RFC 3834: prevents out-of-office replies. RFC 3282: the language.
        headers: { 'Auto-Submitted': 'auto-generated', 'Content-Language': language },
        signal: AbortSignal.timeout(SEND_LIMIT),
      });
    } catch (error) {
      throw toMailError(error as SmtpError);
    }
  }

  /** Connects and logs in once; returns the error, if any. */
  async faultOfConnection(): Promise<Error | undefined> {
    try {
      await this.transport.verify();
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  onApplicationShutdown(): void {
    this.unfollow();
    this.transport.close();
  }
}

interface SmtpError extends Error {
  code?: string;
  command?: string;
  responseCode?: number;
}

const connectionCodes = new Set([
  'ECONNECTION',
  'ETIMEDOUT',
  'ESOCKET',
  'EDNS',
  'ETLS',
  'EAUTH',
  'ENOAUTH',
  'EPROTOCOL',
]);

function toMailError(error: SmtpError): MailError {
  const { code = '', command, responseCode = 0, message } = error;
  const reason = withoutAddresses(message).slice(0, 500);
  if (connectionCodes.has(code)) return new MailError('disconnected', reason);
  // A refused sender is a fault of the settings, not of this mail; it waits for their correction.
  const permanent = responseCode >= 500 && (command === 'RCPT TO' || command === 'DATA');
  const impossible = code === 'EENVELOPE' && responseCode === 0;
  return new MailError(permanent || impossible ? 'refused' : 'failed', reason);
}

// Mail servers often repeat the address, which must not be stored and logged with the reason.
const withoutAddresses = (text: string) => text.replace(/[^\s<>"]+@[^\s<>"]+/g, '<address>');
