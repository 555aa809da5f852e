import { hash } from 'node:crypto';
import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { described } from './described.js';
import { CACHED } from './operation.js';

/**
 * Cache-Control of what is the same for everybody and changes seldom. Shorter than the time for which a key is published
 * before it signs, so that every verifier knows the key.
 */
export const SHARED = 'public, max-age=300';
/** Cache-Control of what belongs to the caller: may be kept, and is asked about before each use. */
export const PRIVATE = 'private, no-cache';

/** Lets clients keep the answer under this Cache-Control, and ask by an ETag, which is made of the body, whether it is still the same. */
export const Cached = (cacheControl: string) =>
  applyDecorators(
    RouteConfig({ cacheControl }),
    described(({ ApiExtension }) => [ApiExtension(CACHED, true)]),
  );

/**
 * Adds the ETag to every answer with a `version` and to those of `@Cached` routes, answers a GET with a matching
 * If-None-Match by 304, and adds to a 201 the Location declared by `@Operation({ location: '/api/v1/lists/' })`.
 * RFC 9110 §8.8.3, §13.1.2, RFC 9111 §5.2.
 */
export function answerWithEtags(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', (request, reply, payload, done) => {
    const { version, id } = (payload ?? {}) as { version?: number; id?: string };
    const { location } = request.routeOptions.config as { location?: string };
    if (reply.statusCode === 201 && location && id) reply.header('Location', `${location}${id}`);
    if (typeof version === 'number') {
      const etag = `"${version}"`;
      if (isRead(request)) revalidate(request, reply, PRIVATE, etag);
      else reply.header('ETag', etag);
    }
    return done(null, payload);
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const { cacheControl } = request.routeOptions.config as { cacheControl?: string };
    if (cacheControl && reply.statusCode === 200 && isRead(request) && typeof payload === 'string') {
      revalidate(request, reply, cacheControl, `"${hash('sha1', payload, 'base64url')}"`);
    }
    if (reply.statusCode !== 304 || request.method === 'HEAD') return done(null, payload);
    // A 304 has no body (RFC 9110 §15.4.5); Fastify would send the one that was serialised, except to HEAD.
    reply.removeHeader('content-length').removeHeader('content-type');
    return done(null, null);
  });
}

const isRead = ({ method }: FastifyRequest) => method === 'GET' || method === 'HEAD';

function revalidate({ headers }: FastifyRequest, reply: FastifyReply, cacheControl: string, etag: string): void {
  reply.header('Cache-Control', cacheControl).header('ETag', etag);
  // Two people who use one browser may have the same ETag at the same address, such as /users/me.
  if (cacheControl === PRIVATE) reply.header('Vary', 'Authorization');
  if (matches(headers['if-none-match'], etag)) reply.code(304);
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header === '*' || header.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag);
}
