import { fileURLToPath } from 'node:url';
import { type Declaration, declarations } from './declarations.js';
import { type Layout, type Ports, projectRoot } from './layout.js';
import { launch, type ServerProcess, type Track, untilReady } from '../supervise/processes.js';

export interface ServiceOptions {
  name: string;
  ports: Ports;
  layout: Layout;
  env: NodeJS.ProcessEnv;
  apps?: string;
}

/** Runs `main.js <args>` to its end: `migrate`, or another command. @throws Error, naming the log, when it fails. */
export async function runCommand(options: ServiceOptions, args: string[], track: Track): Promise<void> {
  const log = options.layout.log(options.name);
  const command = await launch({ ...program(options, args), log, track });
  const { code } = await command.exited;
  if (code !== 0) throw new Error(`${args[0]} of ${options.name} failed, see ${log}`);
}

export async function startService(options: ServiceOptions, track: Track): Promise<ServerProcess> {
  const log = options.layout.log(options.name);
  const server = await launch({ ...program(options, []), log, track });
  const address = `http://127.0.0.1:${options.ports.services[options.name]!.http}/readyz`;
  await untilReady(server, log, async () => {
    const answer = await fetch(address).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok ?? false;
  });
  return server;
}

/** A service's settings on this machine: its own addresses and those of all that it calls. */
export function serviceEnvironment(
  service: Declaration,
  ports: Ports,
  given: { edge: number; brokers: string; database: string; secrets: NodeJS.ProcessEnv },
): NodeJS.ProcessEnv {
  const { http, metrics, grpc } = ports.services[service.name]!;
  const issuer = declarations.find(({ issuesTokens }) => issuesTokens)!;
  const callees = service.calls.map((callee) => {
    const variable = callee.toUpperCase().replaceAll('-', '_');
    const { http: port, grpc: grpcPort } = ports.services[callee]!;
    return declarations.find(({ name }) => name === callee)!.grpc
      ? [`${variable}_GRPC_URL`, `127.0.0.1:${grpcPort}`]
      : [`${variable}_URL`, `http://127.0.0.1:${port}`];
  });
  return {
    LISTEN_ADDRESS: '127.0.0.1',
    PORT: String(http),
    METRICS_PORT: String(metrics),
    DATABASE_URL: given.database,
    KAFKA_BROKERS: given.brokers,
    JWKS_URL: `http://127.0.0.1:${ports.services[issuer.name]!.http}/.well-known/jwks.json`,
    PUBLIC_URL: `http://127.0.0.1:${given.edge}`,
    TRUSTED_HOPS: '1',
    // There is no load balancer that must notice it first.
    DRAIN_DELAY: '0s',
    ...Object.fromEntries(callees),
    ...(service.grpc && { GRPC_PORT: String(grpc) }),
    ...(service.sendsMail && { SMTP_URL: `smtp://127.0.0.1:${ports.smtp}` }),
    ...given.secrets,
  };
}

/** The image's flags for Node that influence speed and memory. */
export const nodeFlags = ['--min-semi-space-size=2', '--max-semi-space-size=8', '--expose-gc'];

/** The command line of a service; with arguments it runs a command instead of serving. */
export function program({ name, env, apps, layout }: Omit<ServiceOptions, 'ports'>, args: string[]) {
  const main = `${apps ?? fileURLToPath(new URL('dist/apps', projectRoot))}/${name}/src/main.js`;
  // kafkajs computes negative timeouts, about which Node would warn with every connection.
  const flags = ['--disable-warning=TimeoutNegativeWarning'];
  return {
    name,
    command: process.execPath,
    args: [...nodeFlags, ...flags, main, ...args],
    env: { NODE_COMPILE_CACHE: layout.codeCache, ...env },
  };
}
