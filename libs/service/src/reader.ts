import { Inject, Injectable } from '@nestjs/common';
import type { Pool, QueryResultRow } from 'pg';
import { DataSource } from 'typeorm';

/**
 * Reads with explicit SQL, outside of transactions, on the same pool as TypeORM: for what is read most. `DataSource.query`
 * makes a query runner for each call and tells its subscribers, at a cost that is a tenth of a whole request.
 */
@Injectable()
export class Reader {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  /** @throws what pg throws: see isDatabaseUnavailable. */
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
}
