import { isIPv4, isIPv6 } from 'node:net';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Who sends a request, before anything is proved. */
export interface Caller {
  /** The part of the client's address that one customer of a provider has: see networkOf. */
  network: string;
  cookies: string;
  setCookie: (cookie: string) => void;
}

/** The caller of a route. */
export const From = createParamDecorator((_data: unknown, context: ExecutionContext): Caller => {
  const http = context.switchToHttp();
  const { ip, headers } = http.getRequest<FastifyRequest>();
  const reply = http.getResponse<FastifyReply>();
  return {
    network: networkOf(ip),
    cookies: headers.cookie ?? '',
    setCookie: (cookie) => void reply.header('Set-Cookie', cookie),
  };
});

/** The /24 of an IPv4 address, the /56 of an IPv6 address (RFC 6177); `unknown` for what is no address. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=.*\.)/i, '').replace(/%.*$/, '');
  if (isIPv4(plain)) return plain.replace(/\d+$/, '0/24');
  if (!isIPv6(plain)) return 'unknown';
  const [left = '', right] = plain.replace(/[\d.]+\.\d+$/, '0:0').split('::');
  const head = left.split(':').filter(Boolean);
  const tail = right?.split(':').filter(Boolean) ?? [];
  const parts = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  const [a, b, c, d] = parts.map((part) => parseInt(part, 16));
  return `${[a, b, c, d! & 0xff00].map((part) => part!.toString(16)).join(':')}::/56`;
}
