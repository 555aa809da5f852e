import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { declaresProblems, IF_MATCH } from './operation.js';
import { defineProblem } from './problem.js';

const etagOf = (version: number) => `"${version}"`;

/**
 * Adds the ETag to every answer with a `version`, answers a GET with a matching If-None-Match by 304, and adds to a
 * 201 the Location declared by `@Operation({ location: '/api/v1/lists/' })`. RFC 9110 §8.8.3, §13.1.2.
 */
export function answerWithEtags(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', (request, reply, payload, done) => {
    const { version, id } = (payload ?? {}) as { version?: number; id?: string };
    const { location } = request.routeOptions.config as { location?: string };
    if (reply.statusCode === 201 && location && id) reply.header('Location', `${location}${id}`);
    if (typeof version !== 'number') return done(null, payload);
    const etag = etagOf(version);
    reply.header('ETag', etag);
    if ((request.method === 'GET' || request.method === 'HEAD') && matches(request.headers['if-none-match'], etag)) {
      reply.code(304);
    }
    return done(null, payload);
  });
  // A 304 has no body (RFC 9110 §15.4.5); Fastify would send the one that was serialised, except to HEAD.
  fastify.addHook('onSend', ({ method }, reply, payload, done) => {
    if (reply.statusCode !== 304 || method === 'HEAD') return done(null, payload);
    reply.removeHeader('content-length').removeHeader('content-type');
    return done(null, null);
  });
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header === '*' || header.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag);
}

const badIfMatch = defineProblem({
  status: 400,
  code: 'bad-if-match',
  detail: 'If-Match takes one ETag as it was given, such as "3" with its quotes.',
});

const versionConflict = defineProblem<[current: object]>({
  status: 412,
  code: 'version-conflict',
  detail: 'It was changed meanwhile; current is its present state.',
  extra: (current) => ({ current }),
  members: { current: z.looseObject({ version: z.int() }).describe('The present state of the resource') },
});

const versionOf = (_data: unknown, context: ExecutionContext): number | undefined => {
  const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
  if (header === undefined || header === '*') return undefined;
  const version = /^(?:W\/)?"(\d{1,9})"$/.exec(header)?.[1];
  if (version === undefined) throw badIfMatch();
  return Number(version);
};

/** The version in If-Match, or undefined without the header or with `*`. */
export const IfMatch = createParamDecorator(versionOf, [
  declaresProblems('if-match', [badIfMatch, versionConflict], IF_MATCH),
]);

/** @throws Problem 412 with the current state, when it was changed since the client read it. RFC 9110 §13.1.1 */
export function assertVersion(expected: number | undefined, current: { version: number }): void {
  if (expected !== undefined && expected !== current.version) throw versionConflict(current);
}
