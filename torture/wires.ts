import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** From a replica to a server, the other way, or both. */
export type Direction = 'up' | 'down' | 'both';

interface Pair {
  near: Socket;
  far: Socket;
  /** One end was reset. The other hears of it when it can. */
  broken: boolean;
}

/** A replica's network to one port: it can be cut each way, and what was under way arrives when it is whole again. */
export class Wire {
  private readonly pairs = new Set<Pair>();
  private readonly down = new Set<Direction>();

  private constructor(
    private readonly server: Server,
    target: number,
  ) {
    server.on('connection', (near: Socket) => {
      const pair: Pair = { near, far: connect(target, '127.0.0.1'), broken: false };
      this.pairs.add(pair);
      for (const socket of [near, pair.far]) {
        socket.on('error', () => {
          pair.broken = true;
          if (this.down.size === 0) this.join(pair);
        });
        socket.on('close', () => near.destroyed && pair.far.destroyed && this.pairs.delete(pair));
      }
      this.join(pair);
    });
  }

  static async to(target: number): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server, target);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return wire;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  cut(direction: Direction): void {
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

  close(): void {
    this.server.close();
    for (const { near, far } of this.pairs) for (const socket of [near, far]) socket.destroy();
  }

  private join({ near, far, broken }: Pair): void {
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
