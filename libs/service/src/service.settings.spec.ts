import { describe, expect, it } from '@jest/globals';
import type { NetworkInterfaceInfo } from 'node:os';
import { anyAddress } from './service.settings.js';

const at = (address: string, internal = false): NetworkInterfaceInfo =>
  ({ address, family: address.includes(':') ? 'IPv6' : 'IPv4', internal }) as NetworkInterfaceInfo;

describe('the address that stands for any', () => {
  it('is that of IPv4 where no address of IPv6 is reached', () => {
    expect(anyAddress({})).toBe('0.0.0.0');
    expect(anyAddress({ lo: [at('127.0.0.1', true), at('::1', true)], eth0: [at('10.1.2.3'), at('fe80::1')] })).toBe(
      '0.0.0.0',
    );
  });

  it('is that of IPv4, whose clients then keep their addresses, where there are both', () => {
    expect(anyAddress({ eth0: [at('10.1.2.3'), at('2001:db8::7')] })).toBe('0.0.0.0');
  });

  it('is that of IPv6 where there is no other', () => {
    expect(anyAddress({ lo: [at('127.0.0.1', true)], eth0: [at('fd00:10::7'), at('fe80::1')] })).toBe('::');
  });
});
