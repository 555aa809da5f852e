import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerClientError } from './client-errors.js';
import { refuseUnknownMethods } from './methods.js';
import { badRequest } from './problems.js';
import { sendProblem } from './problem.filter.js';
import { parseJson } from './json-body.js';
import { answerWithEtags } from './caching.js';

/** The largest body that is accepted, in bytes. */
const BODY_LIMIT = 1024 * 1024;

/**
 * How long an idle connection stays open, in milliseconds. The proxy must be the one to close it: if it sends a request
 * while this side closes, it must answer 502. nginx closes after 60 s, Traefik after 90 s, Envoy after 1 h.
 */
const KEEP_ALIVE = 3_610_000;

/**
 * Fastify as every service uses it: request ids (valid ones are accepted), client addresses trusted across
 * `trustedHops` proxies, idle connections kept longer than proxies keep theirs.
 */
export function createFastify(options: { trustedHops: number }): FastifyAdapter {
  return new FastifyAdapter({
    trustProxy: (_address: string, hop: number) => hop < options.trustedHops,
    bodyLimit: BODY_LIMIT,
    keepAliveTimeout: KEEP_ALIVE,
    // Detects peers that vanished silently.
    http: { keepAlive: true, keepAliveInitialDelay: 60_000 },
    requestTimeout: 30_000,
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
    },
    // New requests are served while draining: the load balancer redirects them, not an error.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 300 },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(badRequest(error.message), request, reply),
  });
}

/** Defaults of every route. While `isDraining`, answers ask clients to close their connection. */
export function installHttpDefaults(fastify: FastifyInstance, isDraining: () => boolean): void {
  fastify.removeAllContentTypeParsers();
  // JSON Merge Patch, RFC 7396.
  fastify.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer' },
    parseJson(fastify),
  );
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id);
    reply.header('X-Content-Type-Options', 'nosniff');
    reply.header('Cache-Control', 'no-store');
    done();
  });
  refuseUnknownMethods(fastify);
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (isDraining()) reply.header('Connection', 'close');
    if (reply.statusCode !== 413) return done(null, payload);
    discardBody(request.raw, () => done(null, payload));
  });
  answerWithEtags(fastify);
}

/** How much of a refused body is discarded, in bytes, and for how long, in milliseconds. */
const DISCARD = { most: 16 * BODY_LIMIT, time: 2000 };

/**
 * Lets the client finish sending: if the connection is closed before, the answer is lost, and a proxy
 * answers 502 instead.
 */
function discardBody(body: IncomingMessage, done: () => void): void {
  let size = 0;
  const end = () => {
    clearTimeout(timer);
    body.off('data', count).off('end', end).off('error', end).off('close', end);
    done();
  };
  const count = (chunk: Buffer) => {
    size += chunk.length;
    if (size > DISCARD.most) end();
  };
  const timer = setTimeout(end, DISCARD.time);
  if (body.readableEnded || body.destroyed) return end();
  body.on('data', count).on('end', end).on('error', end).on('close', end).resume();
}
