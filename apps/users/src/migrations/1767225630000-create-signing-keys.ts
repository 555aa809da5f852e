import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Life of a key: next (published before it signs), current (signs), retired (still verifies what it signed). */
export class CreateSigningKeys1767225630000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE signing_keys (
        kid text PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('next', 'current', 'retired')),
        public_jwk jsonb NOT NULL,
        sealed_private_key bytea NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE UNIQUE INDEX signing_keys_current ON signing_keys (state) WHERE state = 'current'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE signing_keys');
  }
}
