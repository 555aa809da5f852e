import { Logger } from '@nestjs/common';
import { afterEach, expect, it } from '@jest/globals';
import { register } from 'prom-client';
import { createDatabase, waitFor } from '#libs/testing';
import { createDataSource } from './data-source.js';
import { countConnections } from './pool-metrics.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function counted(): Promise<Record<string, number>> {
  const { values } = await register.getSingleMetric('tasklane_database_connections')!.get();
  return Object.fromEntries(values.map(({ labels, value }) => [labels.state, value]));
}

it('connections and those who wait for one are counted', async () => {
  const database = await createDatabase();
  const options = { entities: [], migrations: [], compatibleFrom: 0 };
  const dataSource = createDataSource(options, { DATABASE_URL: database.url, DATABASE_POOL_SIZE: 2 }, Logger);
  await dataSource.initialize();
  ends.push(
    countConnections(dataSource),
    () => dataSource.destroy(),
    () => database.drop(),
  );
  const held = [dataSource.createQueryRunner(), dataSource.createQueryRunner()];
  for (const runner of held) await runner.connect();
  const late = dataSource.query('SELECT 1');
  await waitFor(async () => (await counted()).waiting === 1, { timeout: 5000, what: 'a caller that waits' });
  expect(await counted()).toEqual({ used: 2, idle: 0, waiting: 1 });
  for (const runner of held) await runner.release();
  await late;
  expect(await counted()).toEqual({ used: 0, idle: 2, waiting: 0 });
});
