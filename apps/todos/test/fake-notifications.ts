import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A notifications service that only counts, and can be slow, broken or gone. */
export class FakeNotifications {
  calls = 0;
  unread = 3;
  /** Of the last call. */
  headers: IncomingHttpHeaders = {};
  /** How it answers: properly, never, never to its end, after 5 s, as one that fails, or with something else. */
  mode: 'well' | 'silent' | 'stuck' | 'slow' | 'failing' | 'garbled' = 'well';
  private port = 0;
  private server = this.create();

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Listens on the port that it had before, if any. */
  async start(): Promise<void> {
    this.server = this.create();
    await once(this.server.listen(this.port, '127.0.0.1'), 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private create() {
    return createServer((request, response) => {
      this.calls++;
      this.headers = request.headers;
      if (this.mode === 'slow') setTimeout(() => this.answer(response), 5000).unref();
      else this.answer(response);
    });
  }

  private answer(response: ServerResponse): void {
    if (this.mode === 'silent') return;
    const answer = this.mode === 'garbled' ? '{"unread":"many"}' : JSON.stringify({ unread: this.unread });
    response.writeHead(this.mode === 'failing' ? 503 : 200, { 'content-type': 'application/json' });
    if (this.mode === 'stuck') response.write(answer.slice(0, 5));
    else response.end(answer);
  }
}
