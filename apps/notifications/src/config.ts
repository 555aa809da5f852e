import { z } from 'zod';
import { authSettings } from '#libs/auth/setup';
import { messagingSettings } from '#libs/messaging/setup';
import {
  commaSeparated,
  type ConfigOf,
  databaseSettings,
  duration,
  serviceSettings,
  setting,
} from '#libs/service/setup';

/** A name and an address, as in a From header. */
export interface MailAddress {
  name: string;
  address: string;
}

const mailAddress: z.ZodType<MailAddress, string> = z
  .string()
  .regex(/^[^<>\r\n]*<[^\s<>@]+@[^\s<>@]+>$|^[^\s<>@]+@[^\s<>@]+$/, 'expected Name <local@domain> or local@domain')
  .transform((text) => {
    const [, name = '', address = text] = /^(.*)<(.+)>$/.exec(text) ?? [];
    return { name: name.trim().replace(/^"(.*)"$/, '$1'), address };
  });

export const settings = {
  ...serviceSettings,
  ...databaseSettings,
  ...messagingSettings,
  ...authSettings,
  SMTP_URL: setting(
    'Where mails go: smtp://user:password@host:587, or smtps:// for TLS from the start. STARTTLS is used where the server ' +
      'offers it; ?requireTLS=true refuses to send without',
    z.url({ protocol: /^smtps?$/, error: 'expected smtp://host:port or smtps://host:port' }),
    { secret: true },
  ),
  SMTP_CA_FILE_PATH: setting(
    "Path of a PEM file with the authority of the mail server's certificate; without it the system's authorities are trusted",
    z.string().optional(),
  ),
  SMTP_CONNECTIONS: setting('Mails each replica sends at once', z.coerce.number().int().min(1).max(100), {
    default: '5',
  }),
  MAIL_FROM: setting('Sender of all mails; Message-IDs carry its domain', mailAddress, {
    default: 'Tasklane <no-reply@tasklane.local>',
  }),
  MAIL_RETRY_DELAYS: setting(
    'How long a mail that was not accepted waits before each further attempt; after the last it is dead until redriven',
    commaSeparated.pipe(z.array(duration).max(20, 'expected at most twenty durations')),
    { default: '5s,30s,2m,10m,1h,6h' },
  ),
  PUBLIC_URL: setting(
    'Address at which people reach Tasklane; links in mails begin with it',
    z.url({ protocol: /^https?$/, error: 'expected http://host or https://host' }),
    { default: 'http://127.0.0.1:3000' },
  ),
};

export type Config = ConfigOf<typeof settings>;
