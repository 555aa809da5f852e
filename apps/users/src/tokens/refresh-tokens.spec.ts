import { describe, expect, it } from '@jest/globals';
import { TokenSecret } from '../keys/token-secret.js';
import { RefreshTokens } from './refresh-tokens.js';

const tokensOf = (secret: string) => new RefreshTokens(new TokenSecret({ TOKEN_SECRET: secret }));
const tokens = tokensOf('a secret of at least thirty-two characters');
const name = { sessionId: '01998d30-0000-7000-8000-000000000001', generation: 7 };

describe('a refresh token', () => {
  it('can be made anew and tells what it names', () => {
    const token = tokens.make(name);
    expect(tokens.make(name)).toBe(token);
    expect(tokens.read(token)).toEqual(name);
  });

  it('of another secret is not ours', () => {
    expect(tokensOf('another secret of thirty-two characters').read(tokens.make(name))).toBeUndefined();
  });

  it.each([
    ['another generation', (token: string) => token.replace('.7.', '.8.')],
    ['another session', (token: string) => token.replace('01998d30', '01998d31')],
    ['another mac', (token: string) => token.slice(0, -2) + (token.endsWith('AA') ? 'BB' : 'AA')],
    ['no mac', (token: string) => token.slice(0, token.lastIndexOf('.'))],
    ['a short mac', (token: string) => token.slice(0, -1)],
    ['something after it', (token: string) => `${token} `],
    ['a zero before the generation', (token: string) => token.replace('.7.', '.07.')],
    ['nothing at all', () => ''],
  ])('with %s is not ours', (_case, change) => {
    expect(tokens.read(change(tokens.make(name)))).toBeUndefined();
  });
});
