import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { Counter, Gauge } from 'prom-client';
import type { DataSource } from 'typeorm';
import { isDatabaseUnavailable } from './database.errors.js';
import { Pipeline } from './pipeline.js';

/** Calls of `one` by the route they took: `moved` ones used both. */
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
 * Reads with explicit SQL, outside of transactions, for hot paths. `DataSource.query` creates a query runner for each
 * call and notifies its subscribers, which costs a tenth of a whole request.
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
   * A row found by a key, or undefined: many callers share one connection. A statement that makes PostgreSQL search
   * or sort belongs in `rows`. What that connection cannot answer within 4 s is read once more, on the pool.
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
    return readOn(await this.connect(), text, values);
  }

  /** The same for callers that prefer failing to waiting: 50 ms for a connection, if the pipelined one was lost. */
  async rowsAtOnce<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    // Only an unanswered read shows that the database has gone silent.
    this.pipeline.query(PROBE, [1])?.catch(() => undefined);
    const connecting = this.connect();
    return readOn(await (this.pipeline.lost ? atOnce(connecting) : connecting), text, values);
  }

  private connect(): Promise<PoolClient> {
    return (this.dataSource.driver as unknown as { master: Pool }).master.connect();
  }

  async close(): Promise<void> {
    pipelines.delete(this.pipeline);
    await this.pipeline.close();
  }
}

const PROBE = 'SELECT $1::int AS probe';

// Not Pool.query, which closes the connection after any error, a statement's own fault included.
async function readOn<Row extends QueryResultRow>(client: PoolClient, text: string, values: unknown[]): Promise<Row[]> {
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    client.release();
  }
}

function atOnce(connecting: Promise<PoolClient>): Promise<PoolClient> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(Object.assign(new Error(`no connection within ${PATIENCE} ms`), { code: 'ETIMEDOUT' }));
    }, PATIENCE);
    connecting.then((client) => (late ? client.release() : resolve(client)), reject).finally(() => clearTimeout(timer));
  });
}

const PATIENCE = 50;

/** SQLSTATE of a prepared statement that does not exist: the one before it in the pipeline could not prepare it. */
const LOST_STATEMENT = '26000';
