import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';

/** One fault of an input: where it is (`items.0.name`; empty for the whole) and what would be right. */
export interface InputError {
  path: string;
  message: string;
}

export interface ProblemExtra {
  errors?: InputError[];
  /** Seconds after which the same request may work; sent as Retry-After. */
  retryAfter?: number;
  /** Further members of the answer, such as `current` for a lost edit. */
  [member: string]: unknown;
}

/**
 * An error answer by RFC 9457. `code` is stable: clients may branch on it; `detail` is for people and may change.
 * A feature declares its own in `<feature>.errors.ts`.
 */
export class Problem extends HttpException {
  constructor(
    status: number,
    readonly code: string,
    readonly detail: string,
    readonly extra: ProblemExtra = {},
  ) {
    super(detail, status);
  }

  /** The body of the answer to the request `instance`. */
  toBody(instance: string, requestId: string): Record<string, unknown> {
    const { retryAfter: _header, ...members } = this.extra;
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

export const unavailable = (what: string) =>
  new Problem(503, 'unavailable', `${what} is not available at the moment; try again shortly.`, { retryAfter: 2 });
