import { types } from 'node:util';
import type { LoggerService } from '@nestjs/common';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { type DestinationStream, pino, type Logger, type LoggerOptions } from 'pino';
import { messageOf, serializeError } from './serialize-error.js';

export const REQUEST_LINES = 'Request';

const SECRETS = ['password', 'token', 'refreshToken', '*.password', '*.token', '*.refreshToken'];

/** Contexts in which Nest logs each module and route at start: useful only for debugging. */
const SETUP_LINES = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestMicroservice']);

/**
 * JSON lines on stdout with the service's name and, inside a trace, its ids. Lines are written in batches, a tenth of a second
 * late at most: one write per request would cost more than the rest of its logging. A kill -9 can lose that much.
 */
export function createLogger(
  service: string,
  level: string,
  destination: DestinationStream = pino.destination({ sync: false, minLength: 4096, periodicFlush: 100 }),
): NestLogger {
  const options: LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: serializeError },
    mixin: () => {
      const span = trace.getActiveSpan()?.spanContext();
      return span && isSpanContextValid(span) ? { traceId: span.traceId, spanId: span.spanId } : {};
    },
  };
  return new NestLogger(pino({ ...options, redact: SECRETS }, destination), pino(options, destination));
}

class NestLogger implements LoggerService {
  /** @param requests takes the lines of requests, whose fields are known to hold no secret. */
  constructor(
    private readonly pino: Logger,
    private readonly requests: Logger,
  ) {}

  log = (message: unknown, ...rest: unknown[]) =>
    this.write(SETUP_LINES.has(rest.at(-1) as string) ? 'debug' : 'info', message, rest);
  error = (message: unknown, ...rest: unknown[]) => this.write('error', message, rest);
  warn = (message: unknown, ...rest: unknown[]) => this.write('warn', message, rest);
  debug = (message: unknown, ...rest: unknown[]) => this.write('debug', message, rest);
  verbose = (message: unknown, ...rest: unknown[]) => this.write('trace', message, rest);
  fatal = (message: unknown, ...rest: unknown[]) => this.write('fatal', message, rest);

  // Nest appends its context, a string, as the last argument, and for errors a stack before it.
  private write(
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    rest: unknown[],
  ): void {
    const context = typeof rest.at(-1) === 'string' ? rest.at(-1) : undefined;
    const stack = rest.length > 1 && typeof rest[0] === 'string' ? rest[0] : undefined;
    if (context === REQUEST_LINES) this.requests[level](message as object);
    else if (types.isNativeError(message)) this.pino[level]({ context, err: message }, messageOf(message));
    else if (typeof message === 'object') {
      const { err } = { ...message } as { err?: unknown };
      this.pino[level]({ context, ...message }, types.isNativeError(err) ? messageOf(err) : undefined);
    } else this.pino[level]({ context, stack }, message as string);
  }
}
