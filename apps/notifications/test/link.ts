import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy in front of a server that a test can stop and restart on the same port. */
export interface Link {
  port: number;
  down: () => Promise<void>;
  up: () => Promise<void>;
}

/** Starts a link to the server at `url`, such as smtp://127.0.0.1:3025. */
export async function startLink(url: string): Promise<Link> {
  const { hostname, port: target } = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target), hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      // Nagle's algorithm would add 40 ms to every mail.
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy()).on('close', () => other.destroy() && sockets.delete(socket));
      socket.pipe(other);
    }
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    up: () => listen(port),
    down: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
