import { expect } from '@jest/globals';
import type { Answer } from './client.js';

/**
 * Checks that an answer is a problem (RFC 9457) with this status and code, and reveals no internals.
 * With `place`, one of `errors` must be about that part of the input.
 */
export function expectProblem(answer: Answer<unknown>, status: number, code: string | RegExp, place?: string): void {
  expect({ status: answer.status, body: answer.body }).toMatchObject({
    status,
    body: {
      status,
      code: typeof code === 'string' ? code : expect.stringMatching(code),
      type: expect.stringMatching(/^urn:tasklane:problem:/),
      title: expect.any(String),
      detail: expect.any(String),
      instance: expect.stringMatching(/^\//),
      requestId: answer.headers.get('x-request-id') ?? expect.any(String),
    },
  });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(JSON.stringify(answer.body)).not.toMatch(/SELECT |INSERT |UPDATE |node_modules|\.[jt]s:\d+/);
  if (place === undefined) return;
  const { errors } = answer.body as { errors?: { path: string }[] };
  expect(errors?.map(({ path }) => path)).toContain(place);
}
