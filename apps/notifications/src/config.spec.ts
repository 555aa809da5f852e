import { describe, expect, it } from '@jest/globals';
import { loadSettings, SettingsError } from '#libs/service';
import { settings } from './config.js';

const { SMTP_URL, MAIL_FROM, MAIL_RETRY_DELAYS, PUBLIC_URL, SMTP_CONNECTIONS } = settings;
const own = { SMTP_URL, MAIL_FROM, MAIL_RETRY_DELAYS, PUBLIC_URL, SMTP_CONNECTIONS };

describe('the settings of notifications', () => {
  it('need only the mail server', () => {
    expect(loadSettings(own, { SMTP_URL: 'smtp://me:p%40ss@mail.example.com:587?requireTLS=true' })).toEqual({
      SMTP_URL: 'smtp://me:p%40ss@mail.example.com:587?requireTLS=true',
      MAIL_FROM: { name: 'Tasklane', address: 'no-reply@tasklane.local' },
      MAIL_RETRY_DELAYS: [5000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000],
      PUBLIC_URL: 'http://127.0.0.1:3000',
      SMTP_CONNECTIONS: 5,
    });
  });

  it.each([
    ['todo@example.com', { name: '', address: 'todo@example.com' }],
    ['"Todo, Inc." <todo@example.com>', { name: 'Todo, Inc.', address: 'todo@example.com' }],
    ['<todo@example.com>', { name: '', address: 'todo@example.com' }],
  ])('take the sender %s', (MAIL_FROM, expected) => {
    expect(loadSettings(own, { SMTP_URL: 'smtps://mail', MAIL_FROM }).MAIL_FROM).toEqual(expected);
  });

  it.each([
    ['SMTP_URL', 'mail.example.com:25'],
    ['SMTP_URL', 'https://mail.example.com'],
    ['MAIL_FROM', 'Tasklane'],
    ['MAIL_FROM', 'a@example.com, b@example.com'],
    ['MAIL_FROM', 'Tasklane\r\nBcc: eve@example.com <todo@example.com>'],
    ['MAIL_RETRY_DELAYS', '5s,later'],
    ['PUBLIC_URL', 'javascript:alert(1)'],
    ['SMTP_CONNECTIONS', '0'],
  ])('refuse %s=%p', (name, value) => {
    const load = () => loadSettings(own, { SMTP_URL: 'smtp://mail:25', [name]: value });
    expect(load).toThrow(SettingsError);
    expect(load).toThrow(name);
  });
});
