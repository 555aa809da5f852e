import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { TokenSecret } from '../keys/token-secret.js';
import { Devices } from './devices.service.js';

const SECRET = 'a secret of at least thirty-two characters';
const OTHER = 'another secret of thirty-two characters';
const DAY = 86_400_000;
const ADA = 'ada@example.com';

const devicesOf = (secrets = [SECRET], PUBLIC_URL = 'https://tasklane.example') =>
  new Devices(new TokenSecret({ TOKEN_SECRET: secrets }), { DEVICE_TTL: 180 * DAY, PUBLIC_URL });
const devices = devicesOf();
/** What the browser sends back. */
const shown = (setCookie: string) => setCookie.split(';', 1)[0]!;

describe('a device', () => {
  afterEach(() => void jest.useRealTimers());

  it('is known to the account that it logged in to, beside other cookies', () => {
    const cookie = shown(devices.cookieFor(ADA));
    expect(devices.recognise(cookie, ADA)).toBeDefined();
    expect(devices.recognise(`theme=dark; ${cookie}; lang=en`, ADA)).toBe(devices.recognise(cookie, ADA));
    expect(devices.recognise(cookie, 'bob@example.com')).toBeUndefined();
  });

  it('keeps its cookie from scripts, other sites, other routes and plain connections', () => {
    const [, ...attributes] = devices.cookieFor(ADA).split('; ');
    expect(attributes).toEqual([
      'Path=/api/v1/auth/login',
      'Max-Age=15552000',
      'HttpOnly',
      'SameSite=Strict',
      'Secure',
    ]);
    expect(devicesOf([SECRET], 'http://127.0.0.1:3000').cookieFor(ADA)).not.toContain('Secure');
  });

  it('is known while TOKEN_SECRET is replaced, and not by another secret', () => {
    const cookie = shown(devices.cookieFor(ADA));
    expect(devicesOf([OTHER, SECRET]).recognise(cookie, ADA)).toBeDefined();
    expect(devicesOf([OTHER]).recognise(cookie, ADA)).toBeUndefined();
  });

  it('is forgotten after DEVICE_TTL', () => {
    jest.useFakeTimers();
    const cookie = shown(devices.cookieFor(ADA));
    jest.setSystemTime(Date.now() + 180 * DAY - 2000);
    expect(devices.recognise(cookie, ADA)).toBeDefined();
    jest.setSystemTime(Date.now() + 2000);
    expect(devices.recognise(cookie, ADA)).toBeUndefined();
  });

  it.each([
    ['a later expiry', (cookie: string) => cookie.replace(/=(\d)/, '=9$1')],
    ['another nonce', (cookie: string) => cookie.replace(/\.(.)/, (_all, letter) => `.${letter === 'A' ? 'B' : 'A'}`)],
    ['another mac', (cookie: string) => cookie.slice(0, -43) + 'A'.repeat(43)],
    ['no mac', (cookie: string) => cookie.slice(0, -44)],
    ['a longer mac', (cookie: string) => `${cookie}A`],
    ['another name', (cookie: string) => cookie.replace('tasklane', 'x-tasklane')],
    ['nothing', () => ''],
  ])('with %s in its cookie is a stranger', (_case, change) => {
    expect(devices.recognise(change(shown(devices.cookieFor(ADA))), ADA)).toBeUndefined();
  });
});
