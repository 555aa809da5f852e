import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Existing sessions get an empty salt, with which their refresh tokens remain valid. */
export class AddSessionSalt1767225660000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE sessions ADD COLUMN salt bytea NOT NULL DEFAULT ''`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sessions DROP COLUMN salt');
  }
}
