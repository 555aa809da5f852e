import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Wire {
  /** The server's address, over the wire. */
  url: string;
  /** From now on nothing arrives on the existing connections, and neither side is notified. */
  cut: () => void;
  /** Cuts it, and whoever connects from now on is not answered either. */
  silence: () => void;
  close: () => void;
}

/** A network to the server at `url` that can be cut, as when a node loses power. */
export async function startWire(url: string): Promise<Wire> {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  let silent = false;
  const wire = createServer((near) => {
    if (silent) return void sockets.push(near);
    const far = connect(Number(port), hostname);
    sockets.push(
      near.on('error', () => undefined),
      far.on('error', () => undefined),
    );
    near.pipe(far).pipe(near);
  });
  wire.listen(0, '127.0.0.1');
  await once(wire, 'listening');
  const near = new URL(url);
  near.host = `127.0.0.1:${(wire.address() as AddressInfo).port}`;
  const cut = () => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  return {
    url: near.href,
    cut,
    silence: () => {
      silent = true;
      cut();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      wire.close();
    },
  };
}
