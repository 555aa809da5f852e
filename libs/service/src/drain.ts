import { setTimeout as sleep } from 'node:timers/promises';
import { type INestApplication, Logger } from '@nestjs/common';
import { Health } from './health.js';

/**
 * Stops the service without losing a request: on SIGTERM it is no longer ready and tells connections to close, but still
 * serves for `delay` milliseconds, until load balancers have removed it. Then HTTP stops, then the transports, then pools,
 * and finally `stopTelemetry` flushes the spans. A second signal during draining changes nothing.
 */
export function installDraining(app: INestApplication, delay: number, stopTelemetry: () => Promise<void>): void {
  const health = app.get(Health);
  const log = new Logger('Service');
  const end = async (signal: string) => {
    if (health.draining) return;
    health.drain();
    log.log(`${signal}: draining for ${delay} ms`);
    await sleep(delay);
    await app.close();
    await stopTelemetry().catch((error: Error) => log.warn(`the last spans are lost: ${error.message}`));
    log.log('ended');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      end(signal).catch((error: unknown) => {
        log.error(error);
        process.exit(1);
      });
    });
  }
}
