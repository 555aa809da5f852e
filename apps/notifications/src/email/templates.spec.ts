import { describe, expect, it } from '@jest/globals';
import { Templates } from './templates.js';

const templates = new Templates({ PUBLIC_URL: 'https://todo.example.com/' });
const ada = { firstName: 'Ada', lastName: 'Lovelace' };

describe('mail templates', () => {
  it.each([
    ['en', 'Welcome to Tasklane, Ada', 'Your account is ready.', '<html lang="en">'],
    ['de', 'Willkommen bei Tasklane, Ada', 'Das Konto ist bereit.', '<html lang="de">'],
  ])('render welcome in %s', (language, subject, sentence, html) => {
    const mail = templates.render('welcome', language, ada);
    expect(mail).toMatchObject({ subject, language });
    for (const body of [mail.text, mail.html]) {
      expect(body).toContain(sentence);
      expect(body).toContain('Ada Lovelace');
      expect(body).toContain('https://todo.example.com');
      expect(body).not.toMatch(/\{\{|\}\}|undefined|example\.com\//);
    }
    expect(mail.html).toContain(html);
    expect(mail.text).toMatch(/^Wel|^Wil/);
  });

  it.each([
    ['de-AT', 'de'],
    ['DE', 'de'],
    ['fr', 'en'],
    ['', 'en'],
    ['../layout', 'en'],
    ['constructor', 'en'],
  ])('answer the language %p in %s', (language, used) => {
    expect(templates.render('welcome', language, ada).language).toBe(used);
  });

  it('escape names in HTML and leave them alone in text', () => {
    const mail = templates.render('welcome', 'en', { firstName: `<script>&"'`, lastName: '{{publicUrl}}' });
    expect(mail.html).toContain('Welcome, &lt;script&gt;&amp;&quot;&#x27;!');
    expect(mail.html).not.toContain('<script>');
    expect(mail.html).toContain('{{publicUrl}}');
    expect(mail.text).toContain(`Welcome, <script>&"'!`);
  });

  it('keep a name with line breaks on its line', () => {
    const mail = templates.render('welcome', 'en', {
      firstName: 'Ada\r\nBcc: eve@example.com\u2028\n\nHi',
      lastName: 'L',
    });
    expect(mail.subject).toBe('Welcome to Tasklane, Ada Bcc: eve@example.com Hi');
    expect(mail.text).toMatch(/^Welcome, Ada Bcc: eve@example.com Hi!\n/);
  });

  it('fail for a variable that is missing and for a mail that does not exist', () => {
    expect(() => templates.render('welcome', 'en', { firstName: 'Ada' } as never)).toThrow('lastName');
    expect(() => templates.render('farewell', 'en', ada)).toThrow('no mail template farewell');
  });
});
