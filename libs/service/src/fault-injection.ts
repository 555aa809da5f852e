import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { defineProblem, sendProblem } from '#libs/http';

export interface Faults {
  latency: number;
  /** Which share of requests is answered with 503, from 0 to 1. */
  errorRate: number;
}

/**
 * Makes a service slow or faulty on demand, to see how callers, dashboards and alerts react. Probes are not affected, and
 * without faults nothing is added to a request.
 */
export function injectFaults(fastify: FastifyInstance, { latency, errorRate }: Faults): void {
  if (latency === 0 && errorRate === 0) return;
  new Logger('Faults').warn(
    `fault injection: requests are delayed by ${latency} ms, and a share of ${errorRate} gets 503`,
  );
  fastify.addHook('onRequest', async (request, reply) => {
    if (!request.url.startsWith('/api/')) return;
    if (latency > 0) await sleep(latency);
    if (Math.random() < errorRate) sendProblem(injected(), request, reply);
  });
}

const injected = defineProblem({
  status: 503,
  code: 'fault-injected',
  detail: 'This answer was made to fail by FAULT_ERROR_RATE.',
  retryAfter: 1,
});
