import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startKafka } from '#local/servers/kafka.js';
import { freePort } from '#local/supervise/ports.js';
import { startPostgres } from '#local/servers/postgres.js';
import type { ServerProcess } from '#local/supervise/processes.js';
import { scratchDirectory } from './scratch.js';

/** A server of one suite: it can be killed, stopped and restarted with the same data on the same port. */
export interface OwnServer {
  kill(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it and deletes its data: for afterAll. */
  remove(): Promise<void>;
}

export interface OwnPostgres extends OwnServer {
  /** The superuser's, to the database postgres. */
  url: string;
}

export interface OwnKafka extends OwnServer {
  brokers: string;
}

export async function ownPostgres({ fsync = false } = {}): Promise<OwnPostgres> {
  const directory = scratchDirectory('postgres');
  const options = { data: join(directory, 'data'), port: await freePort(), log: join(directory, 'log'), fsync };
  const start = async () => (await startPostgres(options)).process;
  return { ...(await own(directory, start)), url: `postgres://postgres@127.0.0.1:${options.port}/postgres` };
}

/** `say` reports the first download. */
export async function ownKafka(say?: (message: string) => void): Promise<OwnKafka> {
  const directory = scratchDirectory('kafka');
  const [port, controllerPort] = [await freePort(), await freePort()];
  const options = { data: join(directory, 'data'), port, controllerPort, log: join(directory, 'log'), say };
  const start = async () => (await startKafka(options)).process;
  return { ...(await own(directory, start)), brokers: `127.0.0.1:${port}` };
}

async function own(directory: string, launch: () => Promise<ServerProcess>): Promise<OwnServer> {
  let server = await launch();
  return {
    kill: async () => void (await server.kill()),
    stop: async () => void (await server.stop()),
    start: async () => {
      if (server.exit) server = await launch();
    },
    remove: async () => {
      await server.kill();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
