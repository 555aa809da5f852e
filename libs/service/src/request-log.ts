import { Logger } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { REQUEST_LINES } from './logger.js';

const unlogged = new Set(['/livez', '/readyz', '/startupz']);

/** Logs one line per request, without its query, which may contain addresses and tokens. */
export function logRequests(fastify: FastifyInstance): void {
  const log = new Logger(REQUEST_LINES);
  fastify.addHook('onResponse', (request, reply, done) => {
    const path = request.url.split('?', 1)[0]!;
    if (!unlogged.has(path)) {
      log.log({
        requestId: request.id,
        method: request.method,
        path,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        userId: (request as { user?: { id: string } }).user?.id,
      });
    }
    done();
  });
}
