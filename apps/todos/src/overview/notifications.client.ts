import { Inject, Injectable } from '@nestjs/common';
import { context, propagation } from '@opentelemetry/api';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CallPolicy, CONFIG } from '#libs/service';
import type { Config } from '../config.js';

const unread = z.object({ unread: z.number().int() });

/** A response that must not be retried. */
class Refused extends Error {
  constructor(readonly status: number) {
    super(`it answered ${status}`);
  }
}

const isClientError = (error: unknown) => error instanceof Refused && error.status < 500;

/** Calls notifications over HTTP on behalf of the caller. */
@Injectable()
export class NotificationsClient {
  private readonly policy = new CallPolicy({
    callee: 'notifications',
    // The time limit of an overview.
    timeLimit: 250,
    isAnswer: isClientError,
    // fetch throws a TypeError for every fault of the network.
    isRefusal: (error) => (error as Error).name === 'TypeError',
  });

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** How many notifications of the caller are unread. @throws Problem 503, or the error of a token that notifications rejected. */
  unread({ id, ip, headers }: FastifyRequest): Promise<z.infer<typeof unread>> {
    return this.policy.execute(async ({ signal }) => {
      const passedOn = { authorization: headers.authorization ?? '', 'x-request-id': id, 'x-forwarded-for': ip };
      propagation.inject(context.active(), passedOn);
      const url = new URL('/api/v1/notifications/unread-count', this.config.NOTIFICATIONS_URL);
      const response = await fetch(url, { signal, headers: passedOn });
      if (response.ok) return unread.parse(await response.json());
      await response.body?.cancel();
      throw new Refused(response.status);
    });
  }
}
