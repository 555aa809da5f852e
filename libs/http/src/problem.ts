import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import type { z } from 'zod';
import type { QuotaState } from './quota.js';

/** One fault of an input: its path (`items.0.name`; empty for the whole) and what is expected. */
export interface InputError {
  path: string;
  message: string;
}

export interface ProblemExtra {
  errors?: InputError[];
  /** Seconds after which the same request may work; sent as Retry-After. */
  retryAfter?: number;
  /** The limit that the request is beyond; sent as RateLimit and RateLimit-Policy. */
  exhausted?: QuotaState;
  /** Further members of the answer, such as `current` for a lost edit. */
  [member: string]: unknown;
}

/** An error answer by RFC 9457. `code` is stable: clients may branch on it; `detail` is for people and may change. */
export class Problem extends HttpException {
  constructor(
    status: number,
    readonly code: string,
    readonly detail: string,
    readonly extra: ProblemExtra = {},
  ) {
    super(detail, status);
  }

  toBody(instance: string, requestId: string): Record<string, unknown> {
    const { retryAfter: _header, exhausted: _headers, ...members } = this.extra;
    return {
      type: `urn:tasklane:problem:${this.code}`,
      title: STATUS_CODES[this.getStatus()] ?? 'Error',
      status: this.getStatus(),
      detail: this.detail,
      instance,
      code: this.code,
      requestId,
      ...members,
    };
  }
}

export interface ProblemKind {
  status: number;
  code: string;
  description: string;
  retryAfter?: number | undefined;
  /** Schemas of its extension members (RFC 9457 §3.2). */
  members?: z.ZodRawShape | undefined;
}

/** Creates problems of one kind, and describes them. */
export type ProblemType<A extends unknown[] = []> = ProblemKind & ((...args: A) => Problem);

/**
 * Defines a kind of problem, in a feature's `<feature>.errors.ts`; a route names those that it may answer in its
 * `@Operation`. `detail` and `extra` may depend on the arguments; then `description` is the general text.
 */
export function defineProblem<A extends unknown[] = []>(
  kind: Omit<ProblemKind, 'description'> &
    ({ detail: string; description?: string } | { detail: (...args: A) => string; description: string }) & {
      extra?: (...args: NoInfer<A>) => ProblemExtra;
    },
): ProblemType<A> {
  const { status, code, retryAfter, members, detail, extra } = kind;
  const make = (...args: A) =>
    new Problem(status, code, typeof detail === 'string' ? detail : detail(...args), {
      ...extra?.(...args),
      ...(retryAfter !== undefined && { retryAfter }),
    });
  const description = kind.description ?? (detail as string);
  return Object.assign(make, { status, code, description, retryAfter, members });
}
