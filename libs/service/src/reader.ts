import type { Pool, QueryResultRow } from 'pg';
import { Counter, Gauge } from 'prom-client';
import type { DataSource } from 'typeorm';
import { isDatabaseUnavailable } from './database.errors.js';
import { Pipeline } from './pipeline.js';

/** Reads of `one` by the way they took: `moved` ones were sent on both. */
const reads = { pipeline: 0, pool: 0, moved: 0 };
const pipelines = new Set<Pipeline>();

void new Counter({
  name: 'tasklane_database_point_reads_total',
  help: 'Reads of one row: pipelined, on the pool because there was no pipelined connection, or moved there from it',
  labelNames: ['way'],
  collect() {
    this.reset();
    for (const [way, count] of Object.entries(reads)) this.inc({ way }, count);
  },
});
void new Gauge({
  name: 'tasklane_database_pipeline_waiting',
  help: 'Reads on the pipelined connection that have no answer yet',
  collect() {
    this.set([...pipelines].reduce((sum, { waiting }) => sum + waiting, 0));
  },
});

/**
 * Reads with explicit SQL, outside of transactions: for what is read most. `DataSource.query` makes a query runner for each
 * call and tells its subscribers, at a cost that is a tenth of a whole request.
 */
export class Reader {
  private readonly pipeline: Pipeline;

  constructor(
    private readonly dataSource: DataSource,
    url: string,
  ) {
    this.pipeline = new Pipeline(url);
    pipelines.add(this.pipeline);
  }

  /**
   * A row that is found by a key, or undefined: many callers share one connection. A statement that PostgreSQL must search
   * or sort for belongs into `rows`. What that connection cannot answer within 4 s is read once more, on the pool.
   * @throws what pg throws: see isDatabaseUnavailable.
   */
  async one<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row | undefined> {
    const pipelined = this.pipeline.query<Row>(text, values);
    if (pipelined === undefined) {
      reads.pool += 1;
      return (await this.rows<Row>(text, values))[0];
    }
    try {
      reads.pipeline += 1;
      return (await pipelined)[0];
    } catch (error) {
      const lostStatement = (error as { code?: unknown }).code === LOST_STATEMENT;
      if (!lostStatement && !isDatabaseUnavailable(error)) throw error;
      if (lostStatement) this.pipeline.renew();
      reads.moved += 1;
      return (await this.rows<Row>(text, values))[0];
    }
  }

  /** Any read, on a connection of the pool. @throws what pg throws: see isDatabaseUnavailable. */
  async rows<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    const { master } = this.dataSource.driver as unknown as { master: Pool };
    // Not master.query, which closes the connection after any error, a statement's own fault included.
    const client = await master.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      client.release();
    }
  }

  async close(): Promise<void> {
    pipelines.delete(this.pipeline);
    await this.pipeline.close();
  }
}

/** SQLSTATE of a prepared statement that does not exist: the one before it in the pipeline could not prepare it. */
const LOST_STATEMENT = '26000';
