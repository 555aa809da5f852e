import type { Pool } from 'pg';
import { Gauge } from 'prom-client';
import type { DataSource } from 'typeorm';

const pools = new Set<Pool>();

void new Gauge({
  name: 'tasklane_database_connections',
  help: 'Connections of the pool that are in use or idle, and callers that wait for one',
  labelNames: ['state'],
  collect() {
    const sum = (of: (pool: Pool) => number) => [...pools].reduce((total, pool) => total + of(pool), 0);
    this.set(
      { state: 'used' },
      sum(({ totalCount, idleCount }) => totalCount - idleCount),
    );
    this.set(
      { state: 'idle' },
      sum(({ idleCount }) => idleCount),
    );
    this.set(
      { state: 'waiting' },
      sum(({ waitingCount }) => waitingCount),
    );
  },
});

/** Counts the pool's connections in the metrics until the returned function is called. */
export function countConnections(dataSource: DataSource): () => void {
  const { master } = dataSource.driver as unknown as { master: Pool };
  pools.add(master);
  return () => pools.delete(master);
}
