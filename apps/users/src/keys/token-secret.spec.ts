import { describe, expect, it } from '@jest/globals';
import { TokenSecret } from './token-secret.js';

const secret = new TokenSecret({ TOKEN_SECRET: 'a secret of at least thirty-two characters' });
const plain = Buffer.from('a private key');

describe('what is sealed', () => {
  it('opens for the same secret and context, and never looks the same', () => {
    const [one, other] = [secret.seal(plain, 'kid'), secret.seal(plain, 'kid')];
    expect(secret.open(one, 'kid')).toEqual(plain);
    expect(one.equals(other)).toBe(false);
    expect(one.includes(plain)).toBe(false);
  });

  it('does not open for another context, another secret, or when it was changed', () => {
    const sealed = secret.seal(plain, 'kid');
    const other = new TokenSecret({ TOKEN_SECRET: 'another secret of thirty-two characters' });
    const changed = Buffer.from(sealed);
    changed[changed.length - 1]! ^= 1;
    expect(() => secret.open(sealed, 'another kid')).toThrow();
    expect(() => other.open(sealed, 'kid')).toThrow();
    expect(() => secret.open(changed, 'kid')).toThrow();
  });
});
