import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Positions are strings in byte order (fractional indexing), so that a move changes one row. `due` is what the client
 * sent, a date or a date-time with its zone; `due_at` is the instant for sorting and filtering.
 */
export class CreateItems1767225630000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE items (
        id uuid PRIMARY KEY,
        list_id uuid NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
        name text NOT NULL,
        notes text NOT NULL,
        completed_at timestamptz(3),
        due text,
        due_at timestamptz(3),
        priority smallint NOT NULL,
        labels text[] NOT NULL,
        position text COLLATE "C" NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        version int NOT NULL DEFAULT 1,
        CONSTRAINT items_name UNIQUE (list_id, name),
        CONSTRAINT items_position UNIQUE (list_id, position)
      )`);
    // The n-th key, from 0, that generateKeyBetween(last, null) of the package fractional-indexing gives: a0 … az, b00 …
    // So the creation of items is one statement, which computes their positions while it holds the list's row lock.
    await runner.query(`
      CREATE FUNCTION position_of(n bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
      DECLARE
        digits CONSTANT text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
        width int := 1;
        capacity bigint := 62;
        number text := '';
      BEGIN
        WHILE n >= capacity LOOP
          n := n - capacity;
          width := width + 1;
          capacity := capacity * 62;
        END LOOP;
        FOR i IN 1..width LOOP
          number := substr(digits, (n % 62)::int + 1, 1) || number;
          n := n / 62;
        END LOOP;
        RETURN chr(96 + width) || number;
      END $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION position_of');
    await runner.query('DROP TABLE items');
  }
}
