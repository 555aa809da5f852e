import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The local copy of users: who can be written to, and in which language. */
export class CreateRecipients1767225610000 implements MigrationInterface {
  name = 'CreateRecipients1767225610000';

  async up(runner: QueryRunner): Promise<void> {
    // Of an erased user only the id stays, so that mails that come to mind later are not waited for.
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
