import { describe, expect, it } from '@jest/globals';
import { TokenSecret } from './token-secret.js';

const SECRET = 'a secret of at least thirty-two characters';
const OTHER = 'another secret of thirty-two characters';
const secret = new TokenSecret({ TOKEN_SECRET: [SECRET] });
const plain = Buffer.from('a private key');

describe('what is sealed', () => {
  it('opens for the same secret and context, and never looks the same', () => {
    const [one, other] = [secret.seal(plain, 'kid'), secret.seal(plain, 'kid')];
    expect(secret.open(one, 'kid')).toEqual({ plain, isCurrent: true });
    expect(one.equals(other)).toBe(false);
    expect(one.includes(plain)).toBe(false);
  });

  it('does not open for another context, another secret, or when it was changed', () => {
    const sealed = secret.seal(plain, 'kid');
    const other = new TokenSecret({ TOKEN_SECRET: [OTHER] });
    const changed = Buffer.from(sealed);
    changed[changed.length - 1]! ^= 1;
    expect(() => secret.open(sealed, 'another kid')).toThrow();
    expect(() => other.open(sealed, 'kid')).toThrow();
    expect(() => secret.open(changed, 'kid')).toThrow();
  });

  it('opens with a former secret, which it tells, while new things are sealed with the first', () => {
    const both = new TokenSecret({ TOKEN_SECRET: [OTHER, SECRET] });
    expect(both.open(secret.seal(plain, 'kid'), 'kid')).toEqual({ plain, isCurrent: false });
    expect(both.open(both.seal(plain, 'kid'), 'kid')).toEqual({ plain, isCurrent: true });
    expect(() => secret.open(both.seal(plain, 'kid'), 'kid')).toThrow();
  });
});
