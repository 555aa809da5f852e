import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { tryLock } from './database.queries.js';

const HOUR = 3_600_000;

/** Deletes data that the service no longer needs, in one transaction. */
export type Cleaning = (tx: EntityManager) => Promise<unknown>;

export const CLEANING = Symbol('CLEANING');

/** Runs the service's cleanup every hour, in one replica at a time. */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Housekeeping');
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLEANING) private readonly clean: Cleaning,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.run().catch((error: Error) => this.log.warn(`failed, the next run is in an hour: ${error.message}`));
    }, HOUR).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  async run(): Promise<void> {
    await this.dataSource.transaction(async (tx) => {
      if (await tryLock(tx, 'tasklane.housekeeping')) await this.clean(tx);
    });
  }
}
