import { createHash, createHmac } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EntityManager } from 'typeorm';
import { declaresProblems, IDEMPOTENT } from './operation.js';
import { defineProblem } from './problem.js';

const badKey = defineProblem({
  status: 400,
  code: 'bad-idempotency-key',
  detail: 'Idempotency-Key takes 1 to 255 visible ASCII characters, such as a UUID.',
});

const inFlight = defineProblem({
  status: 409,
  code: 'idempotency-in-flight',
  detail: 'The first request with this Idempotency-Key is still at work.',
  retryAfter: 1,
});

const keyReused = defineProblem({
  status: 422,
  code: 'idempotency-key-reused',
  detail: 'This Idempotency-Key came with another body before; use a new one.',
});

/**
 * Runs a POST with an Idempotency-Key once: its response is stored in the same transaction as its effect and returned
 * to repetitions for 24 hours. Without the header the work simply runs.
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export class Once {
  private constructor(
    private readonly key: string | undefined,
    private readonly fingerprint: string,
    private readonly owner: string | undefined,
    private readonly replayed: () => void,
  ) {}

  static of(request: FastifyRequest, reply: FastifyReply): Once {
    const header = request.headers['idempotency-key'];
    if (header === undefined) return new Once(undefined, '', undefined, () => undefined);
    if (typeof header !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(header)) throw badKey();
    const owner = (request as { user?: { id: string } }).user?.id;
    const scope = `${owner ?? 'anonymous'} ${request.method} ${request.url}`;
    return new Once(
      createHash('sha256').update(`${scope} ${header}`).digest('base64url'),
      // Keyed by the header, which is not stored: a body may hold a password, and its bare hash could be guessed at.
      createHmac('sha256', header)
        .update(JSON.stringify(request.body ?? null))
        .digest('base64url'),
      owner,
      () => void reply.header('Idempotency-Replayed', 'true'),
    );
  }

  /** Whether the request has a key; without one `run` only runs the work, and may be left out. */
  get keyed(): boolean {
    return this.key !== undefined;
  }

  /**
   * Runs `work` in the caller's transaction, or returns what it returned the first time. `owner` is the account that
   * the response is about, by default the caller's: the stored response is erased with the account.
   * @throws Problem 409 while the first request is still running, 422 when the key was used with another body.
   */
  async run<T>(tx: EntityManager, work: () => Promise<T>, owner = this.owner): Promise<T> {
    if (this.key === undefined) return work();
    const [lock] = await tx.query<{ free: boolean }[]>(
      'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS free',
      [this.key],
    );
    if (!lock?.free) throw inFlight();
    const [kept] = await tx.query<{ fingerprint: string; answer: { value: T } }[]>(
      `SELECT fingerprint, answer FROM idempotency_keys WHERE key = $1 AND created_at > now() - interval '24 hours'`,
      [this.key],
    );
    if (kept) return this.replay(kept);
    const value = await work();
    await tx.query(
      `INSERT INTO idempotency_keys (key, fingerprint, answer, owner) VALUES ($1, $2, $3, $4)
       ON CONFLICT (key) DO UPDATE SET fingerprint = $2, answer = $3, owner = $4, created_at = now()`,
      [this.key, this.fingerprint, JSON.stringify({ value }), owner ?? null],
    );
    return value;
  }

  private replay<T>(kept: { fingerprint: string; answer: { value: T } }): T {
    if (kept.fingerprint !== this.fingerprint) throw keyReused();
    this.replayed();
    return kept.answer.value;
  }
}

const onceOf = (_data: unknown, context: ExecutionContext): Once => {
  const http = context.switchToHttp();
  return Once.of(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
};

/** The request's Idempotency-Key, for the service to `run` its work under. */
export const IdempotencyKey = createParamDecorator(onceOf, [
  declaresProblems('idempotency', [badKey, inFlight, keyReused], IDEMPOTENT),
]);
