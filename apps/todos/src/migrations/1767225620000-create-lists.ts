import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `open_items` is maintained with every change of an item, whose transaction holds the list's row lock anyway: reading
 * a list reads one row. `appended` counts the positions given at the end of the list (see position_of).
 * The fill factor leaves room for these updates beside the row, so that they touch no index.
 */
export class CreateLists1767225620000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE lists (
        id uuid PRIMARY KEY,
        owner_id uuid NOT NULL CONSTRAINT lists_owner REFERENCES people (id) ON DELETE CASCADE,
        name text NOT NULL,
        open_items int NOT NULL DEFAULT 0 CHECK (open_items >= 0),
        appended bigint NOT NULL DEFAULT 0,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        version int NOT NULL DEFAULT 1,
        CONSTRAINT lists_name UNIQUE (owner_id, name)
      ) WITH (fillfactor = 80)`);
    await runner.query('CREATE INDEX lists_page ON lists (owner_id, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE lists');
  }
}
