import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What counted mails counts whatever is limited. The view is what a replica of the former version sees; drop it a release later. */
export class LimitCounts1767225690000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE mail_counts RENAME TO limit_counts');
    await runner.query('CREATE VIEW mail_counts AS SELECT key, count, until FROM limit_counts');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP VIEW mail_counts');
    await runner.query('ALTER TABLE limit_counts RENAME TO mail_counts');
  }
}
