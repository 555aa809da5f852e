import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The copy of accounts, from events: only what is needed to name an owner or to find one by address.
 * `erased_people` keeps the ids of erased users, so that a late message or answer cannot restore them.
 */
export class CreatePeople1767225610000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE people (
        id uuid PRIMARY KEY,
        email text NOT NULL,
        first_name text NOT NULL,
        last_name text NOT NULL,
        version int NOT NULL
      )`);
    await runner.query('CREATE TABLE erased_people (id uuid PRIMARY KEY)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE erased_people');
    await runner.query('DROP TABLE people');
  }
}
