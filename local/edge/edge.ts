import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { forward, sendProblem } from './proxy.js';

export interface Upstream {
  name: string;
  /** Where it listens on this machine. */
  port: number;
  /** As in the chart's values: a path below /.well-known/ exactly, any other with all that lies below it. */
  routes: string[];
}

export interface EdgeOptions {
  port: number;
  services: Upstream[];
  /** Linked from the start page. */
  mailboxUrl: string;
}

export interface Edge {
  stop(): Promise<void>;
}

/** How long an idle connection stays open, in milliseconds: longer than clients keep theirs, see libs/http/src/fastify.ts. */
const KEEP_ALIVE = 3_610_000;

/** The one address of the API on this machine: what an ingress is in a cluster. Listens on the loopback address. */
export async function startEdge({ port, services, mailboxUrl }: EdgeOptions): Promise<Edge> {
  const template = readFileSync(fileURLToPath(new URL('./edge.html', import.meta.url)), 'utf8');
  const links = services.map(({ name }) => `<li><a href="/api/v1/${name}/docs">${name}</a></li>`);
  const page = template.replace('{{services}}', links.join('\n      ')).replace('{{mailbox}}', mailboxUrl);

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE }, (request, response) => {
    const path = request.url!.split('?', 1)[0]!;
    const service = serviceOf(path, services);
    if (service) return forward(service.port, request, response);
    if (path === '/' && (request.method === 'GET' || request.method === 'HEAD')) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(page);
      return;
    }
    request.resume();
    sendProblem(request, response, 404, 'route-not-found', 'There is nothing at this address.');
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function serviceOf(path: string, services: Upstream[]): Upstream | undefined {
  const routes = services.flatMap((service) => service.routes.map((route) => ({ route, service })));
  const matching = routes.filter(
    ({ route }) => path === route || (path.startsWith(`${route}/`) && !route.startsWith('/.well-known/')),
  );
  return matching.toSorted((a, b) => b.route.length - a.route.length)[0]?.service;
}
