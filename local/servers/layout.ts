import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { freePort, isFree } from '../supervise/ports.js';

/** Folder of package.json, seen from the sources and from dist/ alike. */
export const projectRoot = ['../../', '../../../']
  .map((up) => new URL(up, import.meta.url))
  .find((folder) => existsSync(new URL('package.json', folder)))!;

export interface ServicePorts {
  http: number;
  metrics: number;
  grpc: number;
}

export interface Ports {
  services: Record<string, ServicePorts>;
  postgres: number;
  kafka: number;
  kafkaController: number;
  smtp: number;
}

/**
 * Ports of everything behind the edge: at fixed distances from its port, so that two instances do not meet and people
 * can remember them; another free one where somebody else, or the mailbox, has that.
 */
export async function choosePorts(services: string[], edge: number, mailbox: number): Promise<Ports> {
  const taken = new Set([edge, mailbox]);
  const near = async (distance: number) => {
    let port = edge + distance;
    while (taken.has(port) || port > 65_535 || !(await isFree(port))) port = await freePort();
    taken.add(port);
    return port;
  };
  const ofServices: Ports['services'] = {};
  for (const [index, name] of services.entries()) {
    ofServices[name] = { http: await near(1 + index), metrics: await near(101 + index), grpc: await near(201 + index) };
  }
  return {
    services: ofServices,
    postgres: await near(432),
    kafka: await near(92),
    kafkaController: await near(93),
    smtp: await near(25),
  };
}

export function layoutOf(dir: string) {
  const root = resolve(dir);
  const logs = join(root, 'log');
  return {
    root,
    logs,
    log: (name: string) => join(logs, `${name}.log`),
    lock: join(root, 'lock'),
    processes: join(root, 'processes.json'),
    secrets: join(root, 'secrets.json'),
    /** The addresses of the running instance, for commands beside it. */
    addresses: join(root, 'addresses.json'),
    postgres: join(root, 'postgres'),
    kafka: join(root, 'kafka'),
    mail: join(root, 'mail'),
    codeCache: join(root, 'code-cache'),
  };
}

export type Layout = ReturnType<typeof layoutOf>;

/** All paths that an instance ever writes, but the lock. */
export function everythingIn(layout: Layout): string[] {
  const { logs, processes, secrets, addresses, postgres, kafka, mail, codeCache } = layout;
  const unfinished = [processes, secrets, postgres, kafka].map((path) => `${path}.unfinished`);
  return [logs, processes, secrets, addresses, postgres, kafka, `${kafka}.properties`, mail, codeCache, ...unfinished];
}
