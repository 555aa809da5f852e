import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { MailStore } from './mail-store.js';

const page = readFileSync(fileURLToPath(new URL('./mailbox.html', import.meta.url)));

// A mail may contain anything: no scripts, no forms, and links open outside of the page.
const mailPolicy =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src * data:; style-src 'unsafe-inline'";
const pagePolicy =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; frame-src 'self'";

/**
 * Serves the mailbox's page and a part of Mailpit's API: GET /api/v1/messages,
 * /api/v1/search?query=to:address, /api/v1/message/{id}, /api/v1/message/{id}/headers and DELETE /api/v1/messages.
 */
export async function answerMailbox(
  store: MailStore,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://mailbox');
  const json = (body: unknown) => send(response, 200, 'application/json', JSON.stringify(body));
  const route = `${request.method} ${pathname}`;
  if (route === 'GET /') return send(response, 200, 'text/html; charset=utf-8', page, pagePolicy);
  if (route === 'GET /livez' || route === 'GET /readyz') return send(response, 200, 'text/plain', 'ok');
  if (route === 'GET /api/v1/messages') return json(listing(store, searchParams));
  if (route === 'GET /api/v1/search') {
    const to = /^to:"?([^"\s]+)"?$/.exec(searchParams.get('query')?.trim() ?? '')?.[1];
    if (!to) return send(response, 400, 'application/json', '{"Error":"only to:address can be searched for"}');
    return json(listing(store, searchParams, to));
  }
  if (route === 'DELETE /api/v1/messages') {
    const body = Buffer.concat(await request.toArray()).toString();
    store.delete(body ? (JSON.parse(body) as { IDs?: string[] }).IDs : undefined);
    return send(response, 200, 'text/plain', 'ok');
  }

  const [, kind, id, part] = /^GET \/(api\/v1\/message|view)\/(\w+)(\/headers)?$/.exec(route) ?? [];
  const found = id && store.get(id);
  if (!found) return send(response, 404, 'application/json', '{"Error":"there is nothing at this address"}');
  if (part) return json(found.headers);
  if (kind !== 'view') return json(found.message);
  return send(response, 200, 'text/html; charset=utf-8', `<base target="_blank">${found.message.HTML}`, mailPolicy);
}

function listing(store: MailStore, query: URLSearchParams, to?: string): object {
  const start = Number(query.get('start') ?? 0);
  const limit = Number(query.get('limit') ?? 50);
  const all = store.list(to);
  const counts = { total: store.list().length, messages_count: all.length, start };
  return { ...counts, messages: all.slice(start, start + limit) };
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer, policy?: string): void {
  if (policy) response.setHeader('content-security-policy', policy);
  response.writeHead(status, {
    'content-type': type,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(body);
}
