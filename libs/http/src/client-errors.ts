import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { defineProblem } from './problem.js';
import { badRequest, headersTooLarge } from './problems.js';

const requestTimeout = defineProblem({
  status: 408,
  code: 'request-timeout',
  detail: 'The request did not arrive in time.',
});

/** Answers requests that Node cannot parse, which never reach Fastify. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  const known = { HPE_HEADER_OVERFLOW: headersTooLarge, ERR_HTTP_REQUEST_TIMEOUT: requestTimeout }[error.code ?? ''];
  const problem = known?.() ?? badRequest('it is no HTTP');
  const id = randomUUID();
  const body = JSON.stringify(problem.toBody('', id));
  const head = [
    `HTTP/1.1 ${problem.getStatus()} ${STATUS_CODES[problem.getStatus()]}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${id}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
