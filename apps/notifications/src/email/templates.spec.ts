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

  it.each([
    'Ada\r\nBcc: eve@example.com',
    'Ada\u2028Click',
    'Bonus! open https://evil.example',
    'see evil.example now',
    'see www.evil',
    'evil。example',
    'eve@example',
    'tel:+4930123',
    'Please pay the bill that we sent last week',
    '   ',
  ])('greet without a name where it is %j', (firstName) => {
    for (const language of ['en', 'de']) {
      const mail = templates.render('welcome', language, { firstName, lastName: 'L' });
      expect(mail.subject).toBe(language === 'en' ? 'Welcome to Tasklane' : 'Willkommen bei Tasklane');
      expect(mail.text).toMatch(/^(Welcome|Willkommen)!\n/);
      for (const line of firstName
        .trim()
        .split(/[\r\n\u2028]+/)
        .filter(Boolean)) {
        expect(mail.text + mail.html).not.toContain(line);
      }
    }
  });

  it('leave out two names that make one message', () => {
    const parts = { firstName: 'You have won the lottery,', lastName: 'call us now and get it' };
    expect(templates.render('welcome', 'en', parts).text).toContain('an account was made with this address');
  });

  it.each(['Ada', 'Jean-Luc', 'J. R. R.', 'O’Neill', '静香', 'Ødegård Şahin', 'Sir Timothy "Tim" John'])(
    'keep the name %s',
    (firstName) => {
      expect(templates.render('welcome', 'en', { firstName, lastName: 'L' }).subject).toContain(`, ${firstName}`);
    },
  );

  it('fail for a mail that does not exist', () => {
    expect(() => templates.render('farewell', 'en', ada)).toThrow('no mail template farewell');
  });
});
