import { describe, expect, it } from '@jest/globals';
import { networkOf } from './network.js';

describe('the network of an address', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:12:34ff:1:2:3:4', '2001:db8:12:3400::/56'],
    ['2001:db8:12:3400::1', '2001:db8:12:3400::/56'],
    ['2001:DB8:12:3500::1', '2001:db8:12:3500::/56'],
    ['fe80::1%eth0', 'fe80:0:0:0::/56'],
    ['::1', '0:0:0:0::/56'],
    ['64:ff9b::203.0.113.77', '64:ff9b:0:0::/56'],
    ['2001:db8:1::', '2001:db8:1:0::/56'],
    ['10.0.0.1:4711', 'unknown'],
    ['a stranger', 'unknown'],
    ['', 'unknown'],
  ])('%s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
