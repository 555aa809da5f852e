import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** From the client to the server, the other way, or both. */
export type Direction = 'up' | 'down' | 'both';

interface Pair {
  near: Socket;
  far: Socket;
  /** One end was reset; the other is once the wire is whole. */
  broken: boolean;
  lost: boolean;
}

/** A TCP proxy in front of a server: its connections can be cut each way without either side being notified, or refused. */
export class Wire {
  port = 0;
  private readonly server: Server;
  private readonly pairs = new Set<Pair>();
  private readonly down = new Set<Direction>();

  private constructor(private readonly target: URL) {
    this.server = createServer((near) => {
      const far = connect(Number(target.port), target.hostname);
      const pair: Pair = { near, far, broken: false, lost: false };
      this.pairs.add(pair);
      for (const socket of [near, far]) {
        // Nagle's algorithm would add 40 ms to every mail.
        socket.setNoDelay(true);
        socket.on('error', () => {
          pair.broken = true;
          if (this.down.size === 0) this.join(pair);
        });
        socket.on('close', () => near.destroyed && far.destroyed && this.pairs.delete(pair));
      }
      this.join(pair);
    });
  }

  static async to(url: string): Promise<Wire> {
    const wire = new Wire(new URL(url));
    await wire.open();
    return wire;
  }

  get url(): string {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${this.port}`;
    return url.href;
  }

  /** Nothing arrives any more, on new connections neither, until `heal`; then all that was under way does. */
  cut(direction: Direction = 'both'): void {
    for (const way of direction === 'both' ? (['up', 'down'] as const) : [direction]) this.down.add(way);
    for (const { near, far } of this.pairs) {
      if (this.down.has('up')) near.unpipe(far).pause();
      if (this.down.has('down')) far.unpipe(near).pause();
    }
  }

  heal(): void {
    this.down.clear();
    for (const pair of this.pairs) this.join(pair);
  }

  /** Cuts the existing connections for good, as when a node loses power; new ones work. */
  lose(): void {
    this.cut();
    for (const pair of this.pairs) pair.lost = true;
    this.heal();
  }

  /** Resets all connections and refuses new ones until `open`. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const { near, far } of this.pairs) for (const socket of [near, far]) socket.destroy();
    await closed;
  }

  /** Accepts connections again, on the same port. */
  async open(): Promise<void> {
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  private join({ near, far, broken, lost }: Pair): void {
    if (lost) return;
    if (broken) {
      near.destroy();
      far.destroy();
      return;
    }
    near.unpipe(far);
    far.unpipe(near);
    if (!this.down.has('up')) near.pipe(far);
    if (!this.down.has('down')) far.pipe(near);
  }
}
