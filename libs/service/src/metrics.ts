import { createServer, type Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Histogram, register } from 'prom-client';

/** Serves `GET /metrics` on a port of its own, which no ingress routes to. */
export async function serveMetrics(service: string, port: number, address: string): Promise<Server> {
  register.setDefaultLabels({ service });
  collectDefaultMetrics();
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    register.metrics().then(
      (text) => response.writeHead(200, { 'content-type': register.contentType }).end(text),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, address, resolve));
  return server;
}

// Shared by the process, because tests create several applications in one.
const duration = new Histogram({
  name: 'tasklane_http_request_duration_seconds',
  help: 'Time from the arrival of a request to the end of its answer',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
});

/** Observes every request by method, route pattern and status: never by URL, which would create one series per id. */
export function measureRequests(fastify: FastifyInstance): void {
  const known = new Map<string, Histogram.Internal<'method' | 'route' | 'status'>>();
  fastify.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    const status = reply.statusCode;
    const route = routeOptions.url ?? 'none';
    const key = `${status} ${method} ${route}`;
    let series = known.get(key);
    if (series === undefined) known.set(key, (series = duration.labels({ method, route, status })));
    series.observe(reply.elapsedTime / 1000);
    done();
  });
}
