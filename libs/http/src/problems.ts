import { z } from 'zod';
import { defineProblem } from './problem.js';
import { type QuotaState, seconds } from './quota.js';

/** The extension member that lists the faults of an input. */
export const errorsMember = {
  errors: z
    .array(z.object({ path: z.string().describe('Such as items.0.name; empty for the whole'), message: z.string() }))
    .describe('The faults of the input, each with its place'),
};

interface Issue {
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
}

export const badRequest = defineProblem({
  status: 400,
  code: 'bad-request',
  detail: (why: string) => `The request cannot be read: ${why}`,
  description: 'The request cannot be read.',
});

export const invalidInput = defineProblem<[issues: readonly Issue[]]>({
  status: 400,
  code: 'invalid-input',
  detail: 'The input does not fit; errors tells where and why.',
  extra: (issues) => ({
    errors: issues.map((issue) => ({
      path: (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
      message: issue.message,
    })),
  }),
  members: errorsMember,
});

export const invalidJson = defineProblem({
  status: 400,
  code: 'invalid-json',
  detail: 'The body is not valid JSON.',
});

export const invalidEncoding = defineProblem({
  status: 400,
  code: 'invalid-encoding',
  detail: 'The body is not UTF-8, the one encoding of JSON (RFC 8259).',
});

export const jsonTooDeep = defineProblem({
  status: 400,
  code: 'json-too-deep',
  detail: 'The JSON of the body is nested more deeply than anything that is accepted.',
});

export const unauthenticated = defineProblem({
  status: 401,
  code: 'unauthenticated',
  detail: 'An access token is needed: send the header Authorization: Bearer <token>.',
});

export const forbidden = defineProblem({
  status: 403,
  code: 'forbidden',
  detail: 'This needs a right that the account does not have.',
});

export const routeNotFound = defineProblem({
  status: 404,
  code: 'route-not-found',
  detail: 'There is nothing at this address; see the API documentation for what there is.',
});

export const methodNotAllowed = defineProblem({
  status: 405,
  code: 'method-not-allowed',
  detail: 'The address exists, but not with this method; Allow names those it has.',
});

export const bodyTooLarge = defineProblem({
  status: 413,
  code: 'body-too-large',
  detail: 'The body is larger than the 1 MB that are accepted.',
});

export const unsupportedMediaType = defineProblem({
  status: 415,
  code: 'unsupported-media-type',
  detail: 'Send the body as application/json.',
});

export const headersTooLarge = defineProblem({
  status: 431,
  code: 'headers-too-large',
  detail: 'The headers of the request are too large.',
});

export const internal = defineProblem({
  status: 500,
  code: 'internal',
  detail: 'Something went wrong on our side; the request id finds it in the logs.',
});

export const unavailable = defineProblem({
  status: 503,
  code: 'unavailable',
  detail: (what: string) => `${what} is not available at the moment; try again shortly.`,
  description: 'Something that is needed is not available at the moment; try again shortly.',
  retryAfter: 2,
});

/** Rejects a request beyond a limit; the response names it in RateLimit, RateLimit-Policy and Retry-After. */
export const tooManyRequests = defineProblem<[exhausted: QuotaState]>({
  status: 429,
  code: 'too-many-requests',
  detail: ({ quota }) => `The limit "${quota.name}" of ${quota.most} in ${seconds(quota.window)} s is exhausted.`,
  description: 'A limit is exhausted; `limit` names it.',
  extra: (exhausted) => ({ limit: exhausted.quota.name, exhausted, retryAfter: seconds(exhausted.reset) }),
  members: { limit: z.string().describe('Its name in RateLimit and RateLimit-Policy') },
});
