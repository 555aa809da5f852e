import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { query, scratchDirectory } from '#libs/testing';
import { startKafka } from '#local/servers/kafka.js';
import { startPostgres } from '#local/servers/postgres.js';
import { freePort } from '#local/supervise/ports.js';
import type { ServerProcess } from '#local/supervise/processes.js';

const BROKERS = [1, 2, 3];

/** PostgreSQL and three brokers, two of which must have a message before it is acknowledged. */
export interface Servers {
  brokers: {
    port: number;
    /** SIGSTOP and SIGCONT; by SIGKILL it ends, and can be started again. */
    signal(signal: NodeJS.Signals): void;
    kill(): Promise<unknown>;
    start(): Promise<void>;
  }[];
  postgresPort: number;
  execute(statement: string, values?: unknown[]): Promise<void>;
  close(): Promise<void>;
}

export async function startServers(): Promise<Servers> {
  const directory = scratchDirectory('torture');
  const postgres = await startPostgres({
    data: join(directory, 'postgres'),
    port: await freePort(),
    log: join(directory, 'postgres.log'),
    fsync: false,
  });
  const ports: { port: number; controllerPort: number }[] = [];
  for (const _ of BROKERS) ports.push({ port: await freePort(), controllerPort: await freePort() });
  const voters = ports.map(({ controllerPort }, n) => `${BROKERS[n]}@127.0.0.1:${controllerPort}`).join(',');
  const brokers = await Promise.all(
    ports.map(async (addresses, n) => {
      const start = async (): Promise<ServerProcess> => {
        const data = join(directory, `kafka-${BROKERS[n]}`);
        const options = { ...addresses, data, log: `${data}.log`, settings: ofThree(BROKERS[n]!, voters) };
        return (await startKafka(options)).process;
      };
      let broker = await start();
      return {
        port: addresses.port,
        signal: (signal: NodeJS.Signals) => void process.kill(broker.pid, signal),
        kill: () => broker.kill(),
        start: async () => void (broker = await start()),
      };
    }),
  );
  return {
    brokers,
    postgresPort: Number(new URL(postgres.url()).port),
    execute: async (statement, values) => void (await query(postgres.url(), statement, values)),
    close: async () => {
      await Promise.all([...brokers, postgres.process].map((server) => server.kill()));
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const ofThree = (id: number, voters: string) => ({
  'node.id': id,
  'controller.quorum.voters': voters,
  'default.replication.factor': 3,
  'min.insync.replicas': 2,
  'offsets.topic.replication.factor': 3,
  'transaction.state.log.replication.factor': 3,
  'transaction.state.log.min.isr': 2,
});
