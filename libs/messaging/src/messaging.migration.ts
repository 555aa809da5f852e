import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The tables `outbox` and `inbox` of a service.
 *
 * The outbox is a queue: rows live for milliseconds, so it is vacuumed by number of dead rows, early and without pauses.
 * The inbox only grows at its end until retention removes what is older than any topic keeps.
 */
class CreateMessaging1700000000000 implements MigrationInterface {
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

/**
 * Lets retention find old rows without a scan: with the BRIN index each batch read half of the table. Replies have an
 * index of their own, so that reading them costs nothing where there are none.
 */
class IndexWhatIsRead1700000000001 implements MigrationInterface {
  name = 'IndexWhatIsRead1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    // A large inbox takes longer than a request may.
    await runner.query('SET LOCAL statement_timeout = 0');
    await runner.query('CREATE INDEX inbox_by_time ON inbox (processed_at)');
    await runner.query('DROP INDEX inbox_processed_at');
    await runner.query('CREATE INDEX outbox_replies ON outbox (id) WHERE expires_at IS NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX outbox_replies');
    await runner.query('DROP INDEX inbox_by_time');
    await runner.query('CREATE INDEX inbox_processed_at ON inbox USING brin (processed_at)');
  }
}

/** From when on another relay may send a shard; null while a relay holds it, or has lost it. */
class CreateRelayLeases1700000000002 implements MigrationInterface {
  name = 'CreateRelayLeases1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE relay_leases (shard smallint PRIMARY KEY, free_at timestamptz)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE relay_leases');
  }
}

/** Events of ordered handlers that cannot be handled, in the order of `id` per key. */
class CreateParkedEvents1700000000003 implements MigrationInterface {
  name = 'CreateParkedEvents1700000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE parked_events (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        consumer text NOT NULL,
        topic text NOT NULL,
        partition int NOT NULL,
        "offset" bigint NOT NULL,
        key text NOT NULL,
        value bytea,
        headers jsonb NOT NULL,
        reason text NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT now(),
        due_at timestamptz NOT NULL
      )`);
    await runner.query('CREATE INDEX parked_events_by_key ON parked_events (consumer, key, topic, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE parked_events');
  }
}

/** In this order, before those of the app. */
export const messagingMigrations = [
  CreateMessaging1700000000000,
  IndexWhatIsRead1700000000001,
  CreateRelayLeases1700000000002,
  CreateParkedEvents1700000000003,
];
