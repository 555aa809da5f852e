import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every mail, due or done: the senders' queue and the record of outcomes. */
export class CreateDeliveries1767225620000 implements MigrationInterface {
  name = 'CreateDeliveries1767225620000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE deliveries (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        event_id text NOT NULL,
        template text NOT NULL,
        user_id uuid NOT NULL,
        state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'dead', 'cancelled')),
        attempts int NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL DEFAULT now(),
        lease uuid,
        leased_until timestamptz,
        message_id text,
        recipient text,
        last_error text,
        event_time timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        sent_at timestamptz,
        CONSTRAINT deliveries_event_template UNIQUE (event_id, template)
      )`);
    await runner.query(`CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'pending'`);
    await runner.query('CREATE INDEX deliveries_user ON deliveries (user_id, id DESC)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE deliveries');
  }
}
