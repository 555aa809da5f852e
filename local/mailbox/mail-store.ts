import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import PostalMime, { type Address } from 'postal-mime';
import { replaceFile } from '../supervise/replace-file.js';

export interface MailAddress {
  Name: string;
  Address: string;
}

/** A mail in lists, as in Mailpit's API. */
export interface MailSummary {
  ID: string;
  /** Without angle brackets. */
  MessageID: string;
  From: MailAddress;
  To: MailAddress[];
  Cc: MailAddress[];
  /** Recipients that no header names. */
  Bcc: MailAddress[];
  Subject: string;
  /** Arrival, RFC 3339. */
  Created: string;
  Size: number;
  Attachments: number;
  Snippet: string;
}

export interface MailMessage extends Omit<MailSummary, 'Created' | 'Snippet' | 'Attachments'> {
  /** Its Date header, RFC 3339. */
  Date: string;
  Text: string;
  HTML: string;
}

interface Record {
  summary: MailSummary;
  message: MailMessage;
  headers: { [name: string]: string[] };
}

/** Stores each mail as a file. Summaries are in memory, newest first; contents are read on demand. */
export class MailStore {
  private summaries: MailSummary[] = [];

  constructor(private readonly directory: string) {
    mkdirSync(directory, { recursive: true });
    for (const file of readdirSync(directory).sort().toReversed()) {
      // Left by an interrupted write.
      if (!file.endsWith('.json')) rmSync(join(directory, file));
      else this.summaries.push((JSON.parse(readFileSync(join(directory, file), 'utf8')) as Record).summary);
    }
  }

  /** Parses and stores a raw mail; `receivers` are those of its SMTP envelope. */
  async add(raw: Buffer, receivers: string[]): Promise<void> {
    const mail = await PostalMime.parse(raw);
    const created = new Date();
    const [to, cc] = [addresses(mail.to), addresses(mail.cc)];
    const told = new Set([...to, ...cc].map(({ Address }) => Address));
    const hidden = receivers.map((receiver) => receiver.toLowerCase()).filter((receiver) => !told.has(receiver));
    const common = {
      ID: created.getTime().toString(36).padStart(9, '0') + randomBytes(8).toString('hex'),
      MessageID: mail.messageId?.replace(/^<|>$/g, '') ?? '',
      From: addresses(mail.from && [mail.from])[0] ?? { Name: '', Address: '' },
      To: to,
      Cc: cc,
      Bcc: hidden.map((Address) => ({ Name: '', Address })),
      Subject: mail.subject ?? '',
      Size: raw.length,
    };
    const text = mail.text ?? '';
    const summary: MailSummary = {
      ...common,
      Created: created.toISOString(),
      Attachments: mail.attachments.length,
      Snippet: text.replace(/\s+/g, ' ').trim().slice(0, 250),
    };
    const date = mail.date ?? summary.Created;
    const message: MailMessage = { ...common, Date: date, Text: text, HTML: mail.html ?? '' };
    const headers: Record['headers'] = {};
    for (const { originalKey, value } of mail.headers) (headers[originalKey] ??= []).push(value);
    replaceFile(this.file(summary.ID), JSON.stringify({ summary, message, headers } satisfies Record));
    this.summaries.unshift(summary);
  }

  /** Newest first; with `to`, only those with an address in To that contains it. */
  list(to?: string): MailSummary[] {
    if (!to) return this.summaries;
    const wanted = to.toLowerCase();
    return this.summaries.filter(({ To }) => To.some(({ Address }) => Address.includes(wanted)));
  }

  get(id: string): Record | undefined {
    const known = id === 'latest' ? this.summaries[0] : this.summaries.find(({ ID }) => ID === id);
    if (!known || !existsSync(this.file(known.ID))) return undefined;
    return JSON.parse(readFileSync(this.file(known.ID), 'utf8')) as Record;
  }

  delete(ids: string[] = this.summaries.map(({ ID }) => ID)): void {
    const gone = new Set(ids);
    for (const { ID } of this.summaries) if (gone.has(ID)) rmSync(this.file(ID), { force: true });
    this.summaries = this.summaries.filter(({ ID }) => !gone.has(ID));
  }

  private file(id: string): string {
    return join(this.directory, `${id}.json`);
  }
}

function addresses(list: Address[] | undefined): MailAddress[] {
  return (list ?? [])
    .flatMap((entry) => entry.group ?? [entry])
    .map(({ name, address }) => ({ Name: name, Address: (address ?? '').toLowerCase() }));
}
