import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Inject, Injectable } from '@nestjs/common';
import Handlebars from 'handlebars';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
  language: string;
}

/** The recipient's name; templates get it only where it looks like one. */
export interface TemplateData {
  firstName: string;
  lastName: string;
}

type Render = (data: object) => string;

const directory = fileURLToPath(new URL('./templates', import.meta.url));
const fallback = 'en';

/**
 * The mails, by name and language: `<name>.<language>.html.hbs` and `<name>.<language>.txt.hbs`, whose first line is the
 * subject. All are compiled at start; a missing variable is an error, never a gap in a mail.
 */
@Injectable()
export class Templates {
  private readonly html = new Map<string, Render>();
  private readonly text = new Map<string, Render>();

  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'PUBLIC_URL'>) {
    const handlebars = Handlebars.create();
    handlebars.registerPartial('layout', readFileSync(join(directory, 'layout.html.hbs'), 'utf8'));
    for (const file of readdirSync(directory)) {
      const [, name, kind] = /^(\w[\w-]*\.\w+)\.(html|txt)\.hbs$/.exec(file) ?? [];
      if (!name) continue;
      const source = readFileSync(join(directory, file), 'utf8');
      const compiled = handlebars.compile(source, { strict: true, noEscape: kind === 'txt' });
      (kind === 'txt' ? this.text : this.html).set(name, compiled);
    }
  }

  /** Renders a mail in `language`, in its base language (`de` for `de-AT`), or in English. @throws Error */
  render(template: string, language: string, data: TemplateData): RenderedMail {
    const found = [language, language.split('-', 1)[0]!, fallback]
      .map((candidate) => candidate.toLowerCase())
      .find((candidate) => this.html.has(`${template}.${candidate}`));
    const name = `${template}.${found}`;
    const [html, text] = [this.html.get(name), this.text.get(name)];
    if (!found || !html || !text) throw new Error(`there is no mail template ${template}`);
    const values = {
      firstName: nameOrNothing(data.firstName),
      fullName: nameOrNothing(`${data.firstName} ${data.lastName}`),
      language: found,
      publicUrl: this.config.PUBLIC_URL.replace(/\/$/, ''),
    };
    const [subject = '', ...lines] = text(values).split('\n');
    return { subject, text: lines.join('\n').trimStart(), html: html(values), language: found };
  }
}

/** No line break, no e-mail address, nothing that a mail program would turn into a link; at most 40 characters. */
const NAME = /^(?!.*[\p{L}\p{N}][.\u3002\uff0e\uff61]\p{L}{2})[^@:/\\\p{Cc}\u2028\u2029]{1,40}$/u;

/**
 * The name, or nothing when it does not look like one: registering another person's address must not
 * send them a message of the registrant's choice.
 */
function nameOrNothing(name: string): string {
  return NAME.test(name.trim()) ? name.trim() : '';
}
