import { isIPv4, isIPv6 } from 'node:net';

/** The /24 of an IPv4 address, the /56 of an IPv6 address (RFC 6177); `unknown` for what is no address. */
export function networkOf(address: string): string {
  const plain = address.includes(':') ? address.replace(/^::ffff:(?=.*\.)/i, '').replace(/%.*$/, '') : address;
  if (isIPv4(plain)) return `${plain.slice(0, plain.lastIndexOf('.'))}.0/24`;
  if (!isIPv6(plain)) return 'unknown';
  const [left = '', right] = plain.replace(/[\d.]+\.\d+$/, '0:0').split('::');
  const head = left.split(':').filter(Boolean);
  const tail = right?.split(':').filter(Boolean) ?? [];
  const parts = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  const [a, b, c, d] = parts.map((part) => parseInt(part, 16));
  return `${[a, b, c, d! & 0xff00].map((part) => part!.toString(16)).join(':')}::/56`;
}
