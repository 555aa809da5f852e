import { randomUUID } from 'node:crypto';
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as httpRequest,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';

/** Headers that are about one connection only (RFC 9110 §7.6.1). */
const perConnection = ['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade'];

/** Kept even where Connection names them: without its framing a body would be read as the next request. */
const neverDropped = new Set(['content-length', 'transfer-encoding', 'host']);

/**
 * A larger body waits for a sign that the service will read it: one that refuses it closes the connection, and its
 * answer is lost to those who are still sending.
 */
const largestBlindBody = 64 << 10;

/** Passes a request on to a service on this machine and streams back its answer, which may never end. */
export function forward(port: number, request: IncomingMessage, response: ServerResponse): void {
  const { method, url: path } = request;
  const headers = forwarded(request);
  const careful = hasBody(request) && !(Number(headers['content-length']) <= largestBlindBody);
  if (careful) headers.expect = '100-continue';
  const upstream = httpRequest({ host: '127.0.0.1', port, method, path, headers });
  let answered = false;
  upstream.on('response', (answer) => {
    answered = true;
    // An answer before the end of the body is a refusal: the rest of the body is discarded.
    if (!upstream.writableEnded) request.unpipe(upstream).resume();
    response.writeHead(answer.statusCode!, withoutPerConnection(answer.headers));
    // An event stream may stay silent for long after its headers.
    response.flushHeaders();
    answer.pipe(response);
    // The client must not take a truncated answer for the whole.
    answer.on('error', () => response.destroy());
  });
  upstream.on('error', (error: NodeJS.ErrnoException) => {
    if (response.headersSent) return;
    if (upstream.reusedSocket && error.code === 'ECONNRESET' && !hasBody(request)) {
      // The service closed an idle connection in the moment of its use; nothing was read yet.
      return forward(port, request, response);
    }
    request.unpipe(upstream);
    request.resume();
    sendProblem(
      request,
      response,
      503,
      'unavailable',
      'The service is not available at the moment; try again shortly.',
    );
  });
  response.on('close', () => upstream.destroy());
  if (!careful) return void request.pipe(upstream);
  upstream.flushHeaders();
  // The refusal of a body that is too large follows the permission to send it at once.
  const begin = () => !answered && request.pipe(upstream);
  upstream.on('continue', () => setTimeout(begin, 10));
}

export function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  code: string,
  detail: string,
): void {
  const requestId = request.headers['x-request-id'] ?? randomUUID();
  const instance = request.url?.split('?', 1)[0];
  const title = STATUS_CODES[status];
  const type = `urn:tasklane:problem:${code}`;
  if (status === 503) response.setHeader('retry-after', '2');
  response.writeHead(status, { 'content-type': 'application/problem+json; charset=utf-8', 'x-request-id': requestId });
  response.end(JSON.stringify({ type, title, status, detail, instance, code, requestId }));
}

function forwarded(request: IncomingMessage): OutgoingHttpHeaders {
  const before = request.headers['x-forwarded-for'];
  const address = request.socket.remoteAddress?.replace(/^::ffff:/, '');
  return {
    ...withoutPerConnection(request.headers),
    'x-forwarded-for': before ? `${String(before)}, ${address}` : address,
    'x-forwarded-proto': 'http',
    'x-forwarded-host': request.headers.host,
  };
}

function withoutPerConnection(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = { ...headers };
  const named = headers.connection?.split(',').map((name) => name.trim().toLowerCase()) ?? [];
  for (const name of [...perConnection, ...named]) if (!neverDropped.has(name)) delete kept[name];
  return kept;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
