import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Outbox, TopicNames } from '#libs/messaging';
import { createDataSource } from '#libs/service';
import type { DataSource, EntityManager } from 'typeorm';
import { numberErased, numberRaised } from '../libs/messaging/test/test-events.js';
import type { Plan } from './plan.js';

class RolledBack extends Error {}

/** What was committed: the events of each key in the order of their commits, counted from 1. */
export type Truth = Map<string, { key: string; n: number }>;

/** Changes rows on several connections concurrently, each change with its event, and records them in the database. */
export class Publishers {
  private constructor(
    readonly dataSource: DataSource,
    private readonly outbox: Outbox,
    private readonly plan: Plan,
  ) {}

  static async open(url: string, prefix: string, plan: Plan): Promise<Publishers> {
    const config = { DATABASE_URL: url, DATABASE_POOL_SIZE: plan.publishers + 2 };
    const dataSource = createDataSource({ entities: [], migrations: [] }, config, Logger);
    await dataSource.initialize();
    await dataSource.query('CREATE TABLE states (key text PRIMARY KEY, n int NOT NULL, erased boolean NOT NULL)');
    await dataSource.query('CREATE TABLE published (id text PRIMARY KEY, key text NOT NULL, n int NOT NULL)');
    const outbox = new Outbox(dataSource, { wake: () => undefined }, new TopicNames(prefix, 'tests', 3));
    return new Publishers(dataSource, outbox, plan);
  }

  async run(): Promise<void> {
    const end = performance.now() + this.plan.publishing;
    const publisher = async () => {
      while (performance.now() < end) {
        await this.dataSource
          .transaction((tx) => this.change(tx))
          .catch((error: unknown) => {
            if (!(error instanceof RolledBack)) throw error;
          });
        await sleep(this.plan.random() * 40);
      }
    };
    await Promise.all(Array.from({ length: this.plan.publishers }, publisher));
  }

  async truth(): Promise<Truth> {
    const rows = await this.dataSource.query<{ id: string; key: string; n: number }[]>('SELECT * FROM published');
    return new Map(rows.map(({ id, ...event }) => [id, event]));
  }

  private async change(tx: EntityManager): Promise<void> {
    const { random, keys } = this.plan;
    const [key, erased] = [`key-${Math.floor(random() * keys)}`, random() < 0.2];
    const [state] = await tx.query<[{ n: number }]>(
      `INSERT INTO states VALUES ($1, 1, $2)
       ON CONFLICT (key) DO UPDATE SET n = states.n + 1, erased = $2 RETURNING n`,
      [key, erased],
    );
    if (erased) await this.outbox.add(tx, numberErased, key, null);
    else await this.outbox.add(tx, numberRaised, key, { key, n: state.n });
    await tx.query(
      `INSERT INTO published
       SELECT headers->>'ce_id', key, $2 FROM outbox WHERE key = $1 ORDER BY id DESC LIMIT 1`,
      [key, state.n],
    );
    // Ids become visible out of order, and some never.
    if (random() < 0.3) await sleep(random() * 60);
    if (random() < 0.02) await sleep(1000 + random() * 2000);
    if (random() < 0.1) throw new RolledBack();
  }
}
