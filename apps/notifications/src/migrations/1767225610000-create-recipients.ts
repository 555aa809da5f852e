import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateRecipients1767225610000 implements MigrationInterface {
  name = 'CreateRecipients1767225610000';

  async up(runner: QueryRunner): Promise<void> {
    // Of an erased user only the id remains, so that later mails do not wait for the copy.
    await runner.query(`
      CREATE TABLE recipients (
        id uuid PRIMARY KEY,
        email text,
        first_name text,
        last_name text,
        language text,
        version int NOT NULL,
        erased_at timestamptz,
        CONSTRAINT recipients_erased_is_empty CHECK (
          num_nonnulls(email, first_name, last_name, language) = CASE WHEN erased_at IS NULL THEN 4 ELSE 0 END
        )
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE recipients');
  }
}
