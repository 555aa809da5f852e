import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from './problem.js';
import { policyItem, stateItem } from './quota.js';
import {
  badRequest,
  bodyTooLarge,
  forbidden,
  headersTooLarge,
  internal,
  invalidJson,
  methodNotAllowed,
  routeNotFound,
  unauthenticated,
  unavailable,
  unsupportedMediaType,
} from './problems.js';

const ofStatus = new Map(
  [
    unauthenticated,
    forbidden,
    routeNotFound,
    methodNotAllowed,
    bodyTooLarge,
    unsupportedMediaType,
    headersTooLarge,
  ].map((kind) => [kind.status, kind]),
);

/** Answers every error as problem+json. Unknown errors are logged in full and answered as a bare 500. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log = new Logger('Http');

  /** @param isUnavailable whether an error means that a dependency is not available, which is answered as 503. */
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
    return internal();
  }
}

/** Writes `problem` as the answer to `request`. */
export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  const { retryAfter, exhausted } = problem.extra;
  if (retryAfter !== undefined) reply.header('Retry-After', retryAfter);
  if (exhausted)
    reply.header('RateLimit', stateItem(exhausted)).header('RateLimit-Policy', policyItem(exhausted.quota));
  // RFC 6750 §3
  if (problem.getStatus() === 401) reply.header('WWW-Authenticate', `Bearer error="invalid_token"`);
  const body = problem.toBody(request.url.split('?', 1)[0]!, request.id);
  reply
    .status(problem.getStatus())
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(body));
}

function clientProblem(status: number, message: string): Problem {
  if (status !== 400) return ofStatus.get(status)?.() ?? new Problem(status, 'bad-request', message);
  return /JSON|Unexpected|property name|forbidden prototype/i.test(message) ? invalidJson() : badRequest(message);
}

// Terminus reports a failed probe as a 503 whose details name the failed tests.
function healthProblem(error: HttpException): Problem {
  const { error: faults } = error.getResponse() as { error?: Record<string, { message?: string }> };
  const detail = Object.entries(faults ?? {}).map(([name, fault]) => `${name}: ${fault.message ?? 'down'}`);
  return new Problem(503, 'unhealthy', detail.join('; ') || error.message);
}
