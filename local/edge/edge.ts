import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { forward, sendProblem } from './proxy.js';

export interface Upstream {
  name: string;
  port: number;
  /** As in the chart's values: a path below /.well-known/ exactly, any other with all that lies below it. */
  routes: string[];
}

export interface EdgeOptions {
  port: number;
  services: Upstream[];
  mailboxUrl: string;
}

export interface Edge {
  stop(): Promise<void>;
}

/** The one address of the API on this machine: what an ingress is in a cluster. Listens on the loopback address. */
export async function startEdge({ port, services, mailboxUrl }: EdgeOptions): Promise<Edge> {
  const template = readFileSync(fileURLToPath(new URL('./edge.html', import.meta.url)), 'utf8');
  const links = services.map(({ name }) => `<li><a href="/api/v1/${name}/docs">${name}</a></li>`);
  const page = template.replace('{{services}}', links.join('\n      ')).replace('{{mailbox}}', mailboxUrl);

  // Only clients close idle connections: a request that crosses the server's close would be lost.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
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
