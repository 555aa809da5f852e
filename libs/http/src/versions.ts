import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { declaresProblems, IF_MATCH } from './operation.js';
import { defineProblem } from './problem.js';

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
