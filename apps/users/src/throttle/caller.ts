import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { networkOf } from '#libs/http';

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
