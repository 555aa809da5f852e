import { describe, expect, it } from '@jest/globals';
import { TokenSecret } from '../keys/token-secret.js';
import { RefreshTokens } from './refresh-tokens.js';

const SECRET = 'a secret of at least thirty-two characters';
const OTHER = 'another secret of thirty-two characters';
const tokensOf = (...secrets: string[]) => new RefreshTokens(new TokenSecret({ TOKEN_SECRET: secrets }));
const tokens = tokensOf(SECRET);
const salt = Buffer.from('sixteen bytes :)');
const name = { sessionId: '01998d30-0000-7000-8000-000000000001', generation: 7, salt };

const isOurs = (token: string, by = tokens, as = salt) => {
  const shown = by.read(token);
  return shown !== undefined && by.isOurs(shown, as);
};

describe('a refresh token', () => {
  it('can be made anew and tells what it names', () => {
    const token = tokens.make(name);
    expect(tokens.make(name)).toBe(token);
    expect(tokens.read(token)).toMatchObject({ sessionId: name.sessionId, generation: 7 });
    expect(isOurs(token)).toBe(true);
  });

  it('of another secret is not ours', () => {
    expect(isOurs(tokens.make(name), tokensOf(OTHER))).toBe(false);
  });

  it('cannot be made by who knows the secret and the session, but not its salt', () => {
    expect(isOurs(tokens.make({ ...name, salt: Buffer.alloc(0) }))).toBe(false);
  });

  it('passes while its secret is being replaced; new ones are made with the first', () => {
    const old = tokens.make(name);
    const both = tokensOf(OTHER, SECRET);
    expect(isOurs(old, both)).toBe(true);
    expect(both.make(name)).toBe(tokensOf(OTHER).make(name));
  });

  it.each([
    ['another generation', (token: string) => token.replace('.7.', '.8.')],
    ['another session', (token: string) => token.replace('01998d30', '01998d31')],
    ['another mac', (token: string) => token.slice(0, -2) + (token.endsWith('AA') ? 'BB' : 'AA')],
    ['no mac', (token: string) => token.slice(0, token.lastIndexOf('.'))],
    ['a short mac', (token: string) => token.slice(0, -1)],
    ['something after it', (token: string) => `${token} `],
    ['a zero before the generation', (token: string) => token.replace('.7.', '.07.')],
    ['a session that is no UUID', (token: string) => token.replace('01998d30', '--------')],
    ['nothing at all', () => ''],
  ])('with %s is not ours', (_case, change) => {
    expect(isOurs(change(tokens.make(name)))).toBe(false);
  });
});
