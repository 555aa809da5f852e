import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The tables `outbox` and `inbox` of a service. Each app lists it first among its migrations.
 *
 * The outbox is a queue: rows live for milliseconds, so it is vacuumed by number of dead rows, early and without pauses.
 * The inbox only grows at its end until housekeeping removes what is older than any topic keeps, hence the BRIN index.
 */
export class CreateMessaging1700000000000 implements MigrationInterface {
  name = 'CreateMessaging1700000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        shard smallint NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        payload text,
        headers jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz
      ) WITH (
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
        toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 2000
      )`);
    await runner.query(`
      CREATE TABLE inbox (
        consumer text NOT NULL,
        event_id text NOT NULL,
        processed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer, event_id)
      )`);
    await runner.query('CREATE INDEX inbox_processed_at ON inbox USING brin (processed_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE inbox');
    await runner.query('DROP TABLE outbox');
  }
}

export const messagingMigration = CreateMessaging1700000000000;
