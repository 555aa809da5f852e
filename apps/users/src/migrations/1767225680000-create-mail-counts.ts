import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How many mails were asked for to an address and from a network; `key` is a MAC of either, so that it tells neither. */
export class CreateMailCounts1767225680000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE mail_counts (
        key bytea PRIMARY KEY,
        count int NOT NULL,
        until timestamptz NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE mail_counts');
  }
}
