import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { canRunKafka, type KafkaOptions, serves, startKafka } from './kafka.js';
import { projectRoot } from './layout.js';
import { launch, type ServerProcess, untilReady } from '../supervise/processes.js';

const run = promisify(execFile);

/** Starts a broker of this instance; undefined where KAFKA_BROKERS names others. */
export type StartBroker = ((options: KafkaOptions) => Promise<ServerProcess>) | undefined;

/** Decides where Kafka comes from: KAFKA_BROKERS, else Java and Maven, else Docker. Throws when there is none. */
export async function findKafka(env: NodeJS.ProcessEnv): Promise<StartBroker> {
  if (env.KAFKA_BROKERS) return undefined;
  if (await canRunKafka()) return async (options) => (await startKafka(options)).process;
  if (await hasDocker()) return startKafkaInDocker;
  throw new Error(`Kafka is missing. There are three ways to have one:
  1. set KAFKA_BROKERS to the address of a running one (host:port, comma separated),
  2. install Java 17 or later and Maven: it is then fetched and run on this machine,
  3. install Docker with Compose and start it: it then runs in a container.`);
}

/** Waits for the brokers of KAFKA_BROKERS. Where they ask for a password or TLS, the services will find that out. */
export async function awaitBrokers(env: NodeJS.ProcessEnv, patience = 30_000): Promise<void> {
  if (env.KAFKA_TLS === 'true' || env.KAFKA_USERNAME) return;
  const brokers = env.KAFKA_BROKERS!;
  for (const end = Date.now() + patience; !(await serves(brokers)); await sleep(500)) {
    if (Date.now() > end) throw new Error(`no Kafka answers at ${brokers} (KAFKA_BROKERS)`);
  }
}

async function hasDocker(): Promise<boolean> {
  try {
    await run('docker', ['compose', 'version']);
    await run('docker', ['info']);
    return true;
  } catch {
    return false;
  }
}

// "up" stays in the foreground: it ends with the container, and a SIGTERM to it stops the container.
async function startKafkaInDocker({ data, port, log, track, say }: KafkaOptions): Promise<ServerProcess> {
  say?.('starting in Docker (fetches the image the first time)');
  const server = await launch({
    name: 'Kafka in Docker',
    command: 'docker',
    args: [...composeArguments(data), 'up', '--no-log-prefix', 'kafka'],
    env: { ...process.env, TASKLANE_KAFKA_PORT: String(port) },
    log,
    track,
  });
  await untilReady(server, log, () => serves(`127.0.0.1:${port}`), 300_000);
  return server;
}

export async function eraseKafkaInDocker(data: string): Promise<void> {
  await run('docker', [...composeArguments(data), 'down', '--volumes']).catch(() => {});
}

function composeArguments(data: string): string[] {
  const project = `tasklane-${createHash('sha256').update(data).digest('hex').slice(0, 8)}`;
  return ['compose', '--project-name', project, '--file', fileURLToPath(new URL('compose.yaml', projectRoot))];
}
