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

/** What every template may use. */
export interface TemplateData {
  firstName: string;
  lastName: string;
}

type Render = (data: object) => string;

const directory = fileURLToPath(new URL('./templates', import.meta.url));
const fallback = 'en';

/**
 * The mails, by name and language: `<name>.<language>.html.hbs` and `<name>.<language>.txt.hbs`, whose first line is the
 * subject. All are compiled at start; a variable that is missing is an error, never a gap in a mail.
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
    const values = { ...data, language: found, publicUrl: this.config.PUBLIC_URL.replace(/\/$/, '') };
    const [subject = '', ...lines] = text(oneLined(values)).split('\n');
    return { subject, text: lines.join('\n').trimStart(), html: html(values), language: found };
  }
}

/** Line breaks in a value would move the borders between subject and text. */
function oneLined<T extends Record<string, string>>(values: T): T {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value.replace(/[\s\p{Cc}\u2028\u2029]+/gu, ' ').trim()]),
  ) as T;
}
