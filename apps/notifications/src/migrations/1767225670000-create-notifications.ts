import type { MigrationInterface, QueryRunner } from 'typeorm';

/** In-app notifications. */
export class CreateNotifications1767225670000 implements MigrationInterface {
  name = 'CreateNotifications1767225670000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE notifications (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        event_id text NOT NULL,
        kind text NOT NULL,
        user_id uuid NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        read_at timestamptz(3),
        CONSTRAINT notifications_event_kind UNIQUE (event_id, kind)
      )`);
    await runner.query('CREATE INDEX notifications_page ON notifications (user_id, id DESC)');
    await runner.query('CREATE INDEX notifications_unread ON notifications (user_id) WHERE read_at IS NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE notifications');
  }
}
