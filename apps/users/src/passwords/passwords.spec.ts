import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { hashSync } from '@node-rs/argon2';
import { Turns } from '../throttle/turns.service.js';
import { weaknessOf } from './password-rules.js';
import { Passwords } from './passwords.service.js';

const email = 'ada.lovelace@example.com';

describe('a new password', () => {
  it.each([
    ['correct horse battery'],
    ['twelve chars'],
    ['x8Kp!w2Qz#'.padEnd(12, 'j7')],
    ['пароль из многих слов'],
    ['🐎🔋📎🎩🌵🎻🥁🪗🎷🎸🪕🎺'],
    ['a passphrase of one hundred and twenty-eight characters '.padEnd(128, 'abcdefghij')],
  ])('like %s is good', (password) => {
    expect(weaknessOf(password, 12, email)).toBeUndefined();
  });

  it.each([
    ['elevenchars', 'at least 12'],
    ['🐎🔋📎🎩🌵🎻', 'at least 12'],
    ['abcdefghij'.repeat(13), 'at most 128'],
    ['1qaz2wsx3edc4rfv', 'most used'],
    ['Password1234', 'most used'],
    ['2026!Sunshine!', 'most used'],
    ['iloveyoubaby', 'most used'],
    ['footballmonkey', 'most used'],
    ['dragon696969', 'most used'],
    ['manchesterUNITED99', 'most used'],
    ['michaeljordan23', 'most used'],
    ['superman123456', 'most used'],
    ['aaaaaaaaaaaaaa', 'repeats'],
    ['abc1abc1abc1a', 'repeats'],
    [email, 'e-mail address'],
    ['Ada.Lovelace1815', 'e-mail address'],
    ['tasklane2026!', 'e-mail address'],
  ])('like %s is refused', (password, reason) => {
    expect(weaknessOf(password, 12, email)).toContain(reason);
  });

  // OWASP ASVS 5 §6.2.4: at least 3,000 that are long enough to be chosen.
  it('is none of many thousands of common ones that are long enough', () => {
    const list = readFileSync(new URL('./common-passwords.txt', import.meta.url), 'utf8')
      .trim()
      .split('\n');
    const most = list.slice(0, 100);
    const long = [...list, ...most.flatMap((one) => most.map((other) => one + other))].filter(
      ({ length }) => length >= 12,
    );
    expect(long.length).toBeGreaterThan(3000);
    expect(long.filter((password) => weaknessOf(password, 12, email) === undefined)).toEqual([]);
  });

  it('is as short as the setting allows', () => {
    expect(weaknessOf('x8Kp!w2Q', 8, email)).toBeUndefined();
    expect(weaknessOf('x8Kp!w2', 8, email)).toContain('at least 8');
  });
});

describe('passwords', () => {
  const applicant = { network: '192.0.2.0/24', account: email, device: undefined };
  let passwords: Passwords;

  beforeAll(async () => {
    const turns = new Turns({ HASH_CONCURRENCY: 1, HASH_QUEUE: 16, HASH_MAX_WAIT: 15_000 });
    passwords = new Passwords(turns, { PASSWORD_MIN_LENGTH: 12 });
    await passwords.onModuleInit();
  });

  it('match however their letters are composed', async () => {
    const stored = await passwords.hash('cafe\u0301 creme brulee', applicant);
    expect(await passwords.verify(stored, 'caf\u00e9 creme brulee', applicant)).toBe(true);
    expect(await passwords.verify(stored, 'cafe creme brulee', applicant)).toBe(false);
  });

  it('never match an account that is not there', async () => {
    expect(await passwords.verify(undefined, 'anything', applicant)).toBe(false);
  });

  it('are hashed anew only when the cost has changed', async () => {
    expect(passwords.isOutdated(await passwords.hash('correct horse battery', applicant))).toBe(false);
    for (const cost of [{ memoryCost: 8192 }, { timeCost: 3 }, { parallelism: 2 }]) {
      expect(
        passwords.isOutdated(hashSync('correct horse battery', { memoryCost: 19_456, timeCost: 2, ...cost })),
      ).toBe(true);
    }
  });

  it('are hashed and checked in turn: one at work, sixteen waiting', async () => {
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 9 }, () => passwords.hash('correct horse battery', applicant)),
      ...Array.from({ length: 9 }, () => passwords.verify(undefined, 'anything', applicant)),
    ]);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  });
});
