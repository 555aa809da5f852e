import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Edge, startEdge } from './edge.js';
import { freePort } from '../supervise/ports.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

const echo: Handler = (incoming, response) => void response.end(`echo ${incoming.url}`);

describe('the edge', () => {
  const servers: Server[] = [];
  let users: Handler;
  let base: string;
  let edge: Edge;
  let todosPort: number;

  async function service(handle: Handler): Promise<number> {
    const server = createServer((incoming, response) => void handle(incoming, response)).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  beforeAll(async () => {
    const port = await freePort();
    todosPort = await freePort();
    const wellKnown = '/.well-known/jwks.json';
    const services = [
      {
        name: 'users',
        port: await service((...args) => users(...args)),
        routes: ['/api/v1/users', '/api/v1/auth', wellKnown],
      },
      { name: 'todos', port: todosPort, routes: ['/api/v1/lists'] },
      { name: 'notifications', port: await service(echo), routes: ['/api/v1/notifications', '/api/v1/users/me/feed'] },
    ];
    edge = await startEdge({ port, services, mailboxUrl: 'http://mail.test' });
    base = `http://127.0.0.1:${port}`;
  });
  afterAll(async () => {
    await edge.stop();
    for (const server of servers) server.close().closeAllConnections();
  });

  it('sends each path to its service, whole segments only', async () => {
    users = (incoming, response) => void response.end(`users ${incoming.url}`);
    const body = async (path: string) => (await fetch(base + path)).text();
    expect(await body('/api/v1/users/me?a=%20b')).toBe('users /api/v1/users/me?a=%20b');
    expect(await body('/api/v1/auth')).toBe('users /api/v1/auth');
    expect(await body('/.well-known/jwks.json')).toBe('users /.well-known/jwks.json');
    expect(await body('/api/v1/notifications/docs')).toBe('echo /api/v1/notifications/docs');
    expect(await body('/api/v1/users/me/feed/1')).toBe('echo /api/v1/users/me/feed/1');
    expect((await fetch(`${base}/.well-known/jwks.json/x`)).status).toBe(404);
    const elsewhere = await fetch(`${base}/api/v1/usersabc`);
    expect(elsewhere.status).toBe(404);
    expect(await elsewhere.json()).toMatchObject({
      status: 404,
      code: 'route-not-found',
      instance: '/api/v1/usersabc',
    });
  });

  it('answers 503 with Retry-After as long as a service is not there, and no longer', async () => {
    const answer = await fetch(`${base}/api/v1/lists`, {
      method: 'POST',
      body: '{}',
      headers: { 'x-request-id': 'r1' },
    });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answer.json()).toMatchObject({ title: 'Service Unavailable', code: 'unavailable', requestId: 'r1' });
    const todos = createServer((_incoming, response) => void response.end('here')).listen(todosPort, '127.0.0.1');
    servers.push(todos);
    await once(todos, 'listening');
    expect(await (await fetch(`${base}/api/v1/lists`)).text()).toBe('here');
  });

  it('passes method, headers, body and answer, and says who asked', async () => {
    users = async (incoming, response) => {
      response.writeHead(207, { 'x-answer': ['a', 'b'], connection: 'close' });
      response.end(JSON.stringify([incoming.method, incoming.headers, await text(incoming)]));
    };
    const headers = { 'x-forwarded-for': '10.0.0.9', authorization: 'Bearer x', 'content-type': 'text/plain' };
    const answer = await fetch(`${base}/api/v1/users`, { method: 'PATCH', headers, body: 'grüß' });
    expect([answer.status, answer.headers.get('x-answer')]).toEqual([207, 'a, b']);
    // The service drains; the client's own connection need not end.
    expect(answer.headers.get('connection')).toBe('keep-alive');
    const host = base.slice('http://'.length);
    expect(await answer.json()).toEqual([
      'PATCH',
      expect.objectContaining({
        authorization: 'Bearer x',
        host,
        'x-forwarded-for': '10.0.0.9, 127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': host,
      }),
      'grüß',
    ]);
  });

  it('streams events as they come and lets go of the service when the client leaves', async () => {
    const asked = Promise.withResolvers<ServerResponse>();
    users = (_incoming, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      asked.resolve(response);
    };
    const client = new AbortController();
    const answer = await fetch(`${base}/api/v1/users/stream`, { signal: client.signal });
    const service = await asked.promise;
    service.write('data: 1\n\n');
    const chunk = await answer.body!.getReader().read();
    expect(new TextDecoder().decode(chunk.value)).toBe('data: 1\n\n');
    const left = once(service, 'close');
    client.abort();
    await left;
  });

  it('cuts the answer where the service did', async () => {
    users = (_incoming, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    };
    const answer = await fetch(`${base}/api/v1/users`);
    await expect(answer.text()).rejects.toThrow('terminated');
  });

  it('passes large bodies', async () => {
    users = async (incoming, response) => void response.end(String((await text(incoming)).length));
    const answer = await fetch(`${base}/api/v1/users`, { method: 'POST', body: 'x'.repeat(900_000) });
    expect(await answer.text()).toBe('900000');
  });

  it('passes a refusal that comes before the whole body was sent', async () => {
    users = (incoming, response) => {
      response.writeHead(413, { connection: 'close' }).end('too large', () => incoming.destroy());
    };
    const answer = await fetch(`${base}/api/v1/users`, { method: 'POST', body: Buffer.alloc(20_000_000) });
    expect([answer.status, await answer.text()]).toEqual([413, 'too large']);
  });

  it.each(['content-length', 'transfer-encoding, Host'])(
    'smuggles no request under "Connection: %s"',
    async (named) => {
      const seen: (string | undefined)[] = [];
      users = async (incoming, response) => {
        seen.push(incoming.url);
        response.end(await text(incoming));
      };
      const hidden = 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n';
      const [framing, body] = named.startsWith('content')
        ? [`Content-Length: ${hidden.length}`, hidden]
        : ['Transfer-Encoding: chunked', `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`];
      const socket = connect(Number(new URL(base).port), '127.0.0.1');
      socket.write(`GET /api/v1/users HTTP/1.1\r\nHost: x\r\nConnection: close, ${named}\r\n${framing}\r\n\r\n${body}`);
      expect(await text(socket)).toContain(hidden);
      expect(seen).toEqual(['/api/v1/users']);
    },
  );

  it('keeps connections of clients and to services', async () => {
    const ports = { client: new Set<number | undefined>(), service: new Set<number | undefined>() };
    users = (incoming, response) => {
      ports.service.add(incoming.socket.remotePort);
      response.end('ok');
    };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = 0; n < 5; n++) {
      const asked = request(`${base}/api/v1/users`, { agent }).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      ports.client.add(answer.socket.localPort);
      await text(answer);
    }
    agent.destroy();
    expect([ports.client.size, ports.service.size]).toEqual([1, 1]);
  });

  it('shows a start page with the documentation of each service and the mailbox', async () => {
    const page = await (await fetch(base)).text();
    for (const link of ['/api/v1/docs', '/api/v1/users/docs', '/api/v1/todos/docs', 'http://mail.test']) {
      expect(page).toContain(`href="${link}"`);
    }
  });
});
