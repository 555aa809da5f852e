import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Roles are granted by `main.js grant-role` alone, and are erased with the account. */
export class AddRoles1767225640000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE users ADD COLUMN roles text[] NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users DROP COLUMN roles');
  }
}
