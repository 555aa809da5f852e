import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { forward, sendProblem } from './proxy.js';

export type ServiceName = 'users' | 'todos' | 'notifications';

/** Which service has what is below a path: the same table as in the chart's Ingress. */
const routes: [path: string, service: ServiceName][] = [
  ['/api/v1/users', 'users'],
  ['/api/v1/auth', 'users'],
  ['/api/v1/openapi.json', 'users'],
  ['/api/v1/docs', 'users'],
  ['/.well-known/jwks.json', 'users'],
  ['/.well-known/openid-configuration', 'users'],
  ['/api/v1/todos', 'todos'],
  ['/api/v1/lists', 'todos'],
  ['/api/v1/items', 'todos'],
  ['/api/v1/changes', 'todos'],
  ['/api/v1/overview', 'todos'],
  ['/api/v1/operations', 'todos'],
  ['/api/v1/notifications', 'notifications'],
];

export interface EdgeOptions {
  port: number;
  /** Where each service listens on this machine. */
  services: Record<ServiceName, number>;
  /** Linked from the start page. */
  mailboxUrl: string;
}

export interface Edge {
  stop(): Promise<void>;
}

/** The one address of the API on this machine: what an ingress is in a cluster. Listens on the loopback address. */
export async function startEdge({ port, services, mailboxUrl }: EdgeOptions): Promise<Edge> {
  const template = readFileSync(fileURLToPath(new URL('./edge.html', import.meta.url)), 'utf8');
  const page = template.replaceAll('{{mailbox}}', mailboxUrl);

  const server = createServer((request, response) => {
    const path = request.url!.split('?', 1)[0]!;
    const service = serviceOf(path);
    if (service) return forward(services[service], request, response);
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

function serviceOf(path: string): ServiceName | undefined {
  return routes.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`))?.[1];
}
