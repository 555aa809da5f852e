import { applyDecorators, HttpCode } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { z } from 'zod';
import { described } from './described.js';
import type { ProblemKind } from './problem.js';

/** Extensions by which decorators pass information to describeApi, which replaces them. */
export const IS_PUBLIC = 'x-public';
export const IF_MATCH = 'x-if-match';
export const IDEMPOTENT = 'x-idempotent';
export const CACHED = 'x-cached';
export const HEADERS = 'x-headers';
export const TAG_DESCRIPTION = 'x-tag-description';
export const PROBLEMS = 'x-problems-';

interface OperationOptions {
  summary: string;
  description: string;
  /** The answer's body; without it the answer is a 204. */
  returns?: z.ZodType;
  /** Makes the answer a 201 whose Location is this path and the id of what was created. */
  location?: string;
  /** Headers of the answer beyond those that other decorators imply: names in sharedHeaders. */
  headers?: string[];
  /** Problems beyond those that parameters, body and other decorators imply. */
  problems?: ProblemKind[];
}

export function Operation({ summary, description, returns, location, headers = [], problems = [] }: OperationOptions) {
  const status = location ? 201 : returns ? 200 : 204;
  return applyDecorators(
    HttpCode(status),
    ...(location ? [RouteConfig({ location })] : []),
    described(({ ApiOperation, ApiResponse, ApiExtension }) => [
      ApiOperation({ summary, description }),
      ApiResponse({ status, description: returns?.description ?? 'Done', ...(returns && { standardSchema: returns }) }),
      ApiExtension(`${PROBLEMS}of-route`, problems),
      ApiExtension(HEADERS, headers),
    ]),
  );
}

/** Names the feature that a controller's routes belong to. */
export const Feature = (tag: string, description: string) =>
  described(({ ApiTags, ApiExtension }) => [ApiTags(tag), ApiExtension(TAG_DESCRIPTION, description)]);

/** For decorators of routes: adds the problems that they may cause, and more, to the documents. */
export function declaresProblems(source: string, problems: ProblemKind[], extension?: string) {
  return (target: object, key: string | symbol | undefined): void => {
    const descriptor = Object.getOwnPropertyDescriptor(target, key!)!;
    described(({ ApiExtension }) => [
      ApiExtension(PROBLEMS + source, problems),
      ...(extension ? [ApiExtension(extension, true)] : []),
    ])(target, key, descriptor);
  };
}
