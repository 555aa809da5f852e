import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';

export type Operation = NonNullable<OpenAPIObject['paths'][string]['get']> & Record<`x-${string}`, unknown>;
export type Response = Exclude<Operation['responses'][string], { $ref: string } | undefined>;
export type Components = Required<Pick<NonNullable<OpenAPIObject['components']>, 'schemas' | 'headers' | 'responses'>>;

export const problemSchema = z
  .looseObject({
    type: z.string().describe('A URI that names the kind'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('For people; it may change'),
    instance: z.string().describe('The path of the request'),
    code: z.string().describe('Stable name of the kind: what a program may branch on'),
    requestId: z.string().describe('Finds the request in the logs'),
  })
  .describe('An error by RFC 9457');

const text = (description: string, example: string) => ({ description, schema: { type: 'string' as const }, example });

export const sharedHeaders: Components['headers'] = {
  'X-Request-Id': {
    ...text('Names the request in the logs; a harmless one that came with the request is kept', '01998d2f-6c1e'),
    required: true,
  },
  ETag: text('The version of the resource, for If-Match and If-None-Match', '"3"'),
  'Cache-Control': text('Who may keep the answer, and for how long (RFC 9111)', 'private, no-cache'),
  'Cache-Status': text('Whether parts of the answer came from a cache of this service (RFC 9211)', 'tasklane; hit'),
  Location: text('Where the created resource is', '/api/v1/lists/01998d30-0000-7000-8000-000000000001'),
  'Retry-After': {
    description: 'Seconds after which the same request may work',
    schema: { type: 'integer' },
    example: 2,
  },
  RateLimit: text('What is left of the limits, and seconds until there is more (IETF draft)', '"person";r=11999;t=1'),
  'RateLimit-Policy': text('The limits: so many (q) in so many seconds (w)', '"person";q=12000;w=60'),
  'WWW-Authenticate': text('RFC 6750 §3', 'Bearer error="invalid_token"'),
  'Idempotency-Replayed': {
    description: 'Present when this is the kept answer of an earlier request with the same Idempotency-Key',
    schema: { type: 'string', enum: ['true'] },
  },
};

export const headers = (...names: string[]) =>
  Object.fromEntries(['X-Request-Id', ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]));

const parameter = (name: string, description: string, schema: object, example: string) => ({
  name,
  in: 'header' as const,
  required: false,
  description,
  schema: { type: 'string' as const, ...schema },
  example,
});

export const requestHeaders = {
  ifMatch: parameter(
    'If-Match',
    'The ETag of the version that was edited; without it, or with `*`, the edit applies to whatever is there',
    { pattern: String.raw`^(\*|(W/)?"[0-9]{1,9}")$` },
    '"3"',
  ),
  ifNoneMatch: parameter('If-None-Match', 'The ETag of the version that the client has', {}, '"3"'),
  idempotencyKey: parameter(
    'Idempotency-Key',
    'Makes repetitions of this request, within 24 hours, get the first answer instead of happening again',
    { pattern: '^[!-~]{1,255}$' },
    '4f1c7a52-8f0e-4d0b-9c1c-0d5f3a1b2c3d',
  ),
};
