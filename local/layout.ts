import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ServiceName } from './edge.js';
import { freePortNear } from './ports.js';

/** Folder of package.json, seen from the sources and from dist/ alike. */
export const projectRoot = ['../', '../../']
  .map((up) => new URL(up, import.meta.url))
  .find((folder) => existsSync(new URL('package.json', folder)))!;

export const serviceNames: ServiceName[] = ['users', 'todos', 'notifications'];

export interface ServicePorts {
  http: number;
  metrics: number;
  grpc: number;
}

export interface Ports {
  services: Record<ServiceName, ServicePorts>;
  postgres: number;
  kafka: number;
  kafkaController: number;
  smtp: number;
}

/**
 * Ports of everything behind the edge: at fixed distances from its port, so that two instances do not meet and people
 * can remember them; another free one where somebody else has that.
 */
export async function choosePorts(edge: number): Promise<Ports> {
  const services = {} as Ports['services'];
  for (const [index, name] of serviceNames.entries()) {
    const first = edge + 1 + index;
    services[name] = {
      http: await freePortNear(first),
      metrics: await freePortNear(first + 100),
      grpc: await freePortNear(first + 200),
    };
  }
  return {
    services,
    postgres: await freePortNear(edge + 432),
    kafka: await freePortNear(edge + 92),
    kafkaController: await freePortNear(edge + 93),
    smtp: await freePortNear(edge + 25),
  };
}

/** What lies where in TASKLANE_DIR. */
export function layoutOf(dir: string) {
  const root = resolve(dir);
  const logs = join(root, 'log');
  return {
    root,
    logs,
    log: (name: string) => join(logs, `${name}.log`),
    lock: join(root, 'lock'),
    /** The children that run. */
    processes: join(root, 'processes.json'),
    secrets: join(root, 'secrets.json'),
    postgres: join(root, 'postgres'),
    kafka: join(root, 'kafka'),
    mail: join(root, 'mail'),
  };
}

export type Layout = ReturnType<typeof layoutOf>;

/** All paths that an instance ever writes, but the lock. */
export function everythingIn({ logs, processes, secrets, postgres, kafka, mail }: Layout): string[] {
  const unfinished = [processes, secrets, postgres, kafka].map((path) => `${path}.unfinished`);
  return [logs, processes, secrets, postgres, kafka, `${kafka}.properties`, mail, ...unfinished];
}
