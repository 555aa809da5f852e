import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem, unavailable } from './problem.js';

const codes: Record<number, [code: string, detail: string]> = {
  400: ['bad-request', 'The request cannot be read.'],
  401: ['unauthenticated', 'An access token is needed: send the header Authorization: Bearer <token>.'],
  403: ['forbidden', 'This needs a right that the account does not have.'],
  404: ['route-not-found', 'There is nothing at this address; see the API documentation for what there is.'],
  405: ['method-not-allowed', 'The address exists, but not with this method.'],
  413: ['body-too-large', 'The body is larger than the 1 MB that are accepted.'],
  415: ['unsupported-media-type', 'Send the body as application/json.'],
  431: ['headers-too-large', 'The headers of the request are too large.'],
};

/** Answers every error as problem+json. What is not a known error is logged whole and told as a bare 500. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log = new Logger('Http');

  /** @param isUnavailable whether an error means that a dependency cannot serve now, which is told as 503. */
  constructor(private readonly isUnavailable: (error: unknown) => boolean) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    sendProblem(this.problemOf(error), request, reply);
  }

  private problemOf(error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (this.isUnavailable(error)) {
      this.log.warn(`answered 503: ${(error as Error).message}`);
      return unavailable('The database');
    }
    const status = error instanceof HttpException ? error.getStatus() : (error as { statusCode?: number }).statusCode;
    if (status === 503) return healthProblem(error as HttpException);
    if (status !== undefined && status < 500) return clientProblem(status, (error as Error).message);
    this.log.error(error);
    return new Problem(500, 'internal', 'Something went wrong on our side; the request id finds it in the logs.');
  }
}

/** Writes `problem` as the answer to `request`. */
export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  const { retryAfter } = problem.extra;
  if (retryAfter !== undefined) reply.header('Retry-After', retryAfter);
  // RFC 6750 §3
  if (problem.getStatus() === 401) reply.header('WWW-Authenticate', `Bearer error="invalid_token"`);
  const body = problem.toBody(request.url.split('?', 1)[0]!, request.id);
  reply
    .status(problem.getStatus())
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(body));
}

function clientProblem(status: number, message: string): Problem {
  const [code, detail] = codes[status] ?? ['bad-request', message];
  if (status !== 400) return new Problem(status, code, detail);
  const invalidJson = /JSON|Unexpected|property name|forbidden prototype/i.test(message);
  return invalidJson
    ? new Problem(400, 'invalid-json', 'The body is not valid JSON.')
    : new Problem(400, code, `${detail} ${message}`);
}

// Terminus reports a failed probe as a 503 whose details name the failed tests.
function healthProblem(error: HttpException): Problem {
  const { error: faults } = error.getResponse() as { error?: Record<string, { message?: string }> };
  const detail = Object.entries(faults ?? {}).map(([name, fault]) => `${name}: ${fault.message ?? 'down'}`);
  return new Problem(503, 'unhealthy', detail.join('; ') || error.message);
}
