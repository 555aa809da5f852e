import { existsSync, readdirSync } from 'node:fs';
import type { Service, Settings } from '#libs/service';

/** The services of this repository: every folder of apps with a service.ts, by name. */
export const serviceNames = readdirSync('apps').filter((name) => existsSync(`apps/${name}/src/service.ts`));

/** Their declarations. */
export async function loadServices(names = serviceNames): Promise<Service<Settings>[]> {
  return Promise.all(
    names.map(async (name) => {
      const exports = (await import(`../apps/${name}/src/service.js`)) as Record<string, Service<Settings>>;
      return Object.values(exports).find((service) => service.name === name)!;
    }),
  );
}
