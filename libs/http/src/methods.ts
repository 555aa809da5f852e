import type { FastifyInstance } from 'fastify';
import { sendProblem } from './problem.filter.js';
import { methodNotAllowed } from './problems.js';

interface Route {
  pattern: RegExp;
  methods: string[];
}

/**
 * Answers a known path with another method by 405, and OPTIONS by 204, both with its methods in Allow
 * (RFC 9110 §9.3.7, §15.5.6). Must be called before the routes are added.
 */
export function refuseUnknownMethods(fastify: FastifyInstance): void {
  const routes: Route[] = [];
  fastify.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return;
    const pattern = url.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replace(/:\w+/g, '[^/]+');
    routes.push({ pattern: new RegExp(`^${pattern}$`), methods: [method].flat() });
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    const path = request.url.split('?', 1)[0]!;
    const allowed = new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods));
    if (allowed.size === 0) return done();
    reply.header('Allow', [...allowed, 'OPTIONS'].join(', '));
    if (request.method === 'OPTIONS') return void reply.status(204).send();
    return sendProblem(methodNotAllowed(), request, reply);
  });
}
