import { describe, expect, it } from '@jest/globals';
import { invalidInput } from './problems.js';
import { chosenId, idParam, text } from './validation.js';

const fits = (value: unknown) => text(1, 5).safeParse(value);

describe('text', () => {
  it('is trimmed and normalised', () => {
    expect(fits('  ab ').data).toBe('ab');
    expect(fits('é'.normalize('NFD')).data).toBe('é'.normalize('NFC'));
  });

  it('counts code points, so an emoji is one character', () => {
    expect(fits('🎉🎉🎉🎉🎉').success).toBe(true);
    expect(fits('🎉🎉🎉🎉🎉🎉').success).toBe(false);
  });

  it.each(['', '   ', 'a\u0000b', 'a\nb', 'abcdef', 5, null, undefined])('refuses %j', (value) => {
    expect(fits(value).success).toBe(false);
  });

  it.each([
    ['a C1 control', 'a\u0085b'],
    ['a line separator', 'a\u2028b'],
    ['a bidi override', 'a\u202eb'],
    ['a bidi isolate', 'a\u2066b'],
    ['zero-width spaces alone', '\u200b\u200b'],
    ['joiners alone', '\u200d'],
    ['a soft hyphen among spaces', ' \u00ad '],
    ['a filler', '\u3164'],
  ])('refuses %s', (_what, value) => {
    expect(fits(value).success).toBe(false);
  });

  it.each([
    ['emoji that are joined', '👩\u200d🚀'],
    ['a joiner within a word', 'می\u200cخ'],
    ['a direction mark in Hebrew', 'אב\u200f!'],
  ])('keeps %s', (_what, value) => {
    expect(fits(value).data).toBe(value.normalize('NFC'));
  });
});

describe('ids', () => {
  it('a chosen id is a UUIDv7, a looked-up one any UUID', () => {
    const v4 = '9b2f1f5e-0b5c-4d0e-9a43-1f3c9e1f2a10';
    const v7 = '01998D2F-6C1E-7B3A-9F00-5A1B2C3D4E5F';
    expect(chosenId.safeParse(v4).success).toBe(false);
    expect(chosenId.parse(v7)).toBe(v7.toLowerCase());
    expect(idParam.safeParse(v4).success).toBe(true);
    expect(idParam.safeParse('1').success).toBe(false);
  });
});

describe('invalidInput', () => {
  it('names the place of every fault', () => {
    const problem = invalidInput([
      { message: 'too long', path: ['items', 0, { key: 'name' }] },
      { message: 'expected an object' },
    ]);
    expect(problem.getStatus()).toBe(400);
    expect(problem.extra.errors).toEqual([
      { path: 'items.0.name', message: 'too long' },
      { path: '', message: 'expected an object' },
    ]);
  });
});
