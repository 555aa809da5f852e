import type { EntityManager, MigrationInterface, QueryRunner } from 'typeorm';

/** Deletes the keys whose day is over. */
export const forgetIdempotencyKeys = (manager: EntityManager) =>
  manager.query(`DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'`);

/** Deletes the answers that are kept for an account, in the transaction that erases it. */
export const forgetAnswersOf = (tx: EntityManager, owner: string) =>
  tx.query('DELETE FROM idempotency_keys WHERE owner = $1', [owner]);

export class IdempotencyKeys1767225600001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE idempotency_keys (
        key text PRIMARY KEY,
        fingerprint text NOT NULL,
        answer jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE idempotency_keys');
  }
}

export class IdempotencyOwner1767225650000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE idempotency_keys ADD COLUMN owner uuid');
    await runner.query('CREATE INDEX idempotency_keys_owner ON idempotency_keys (owner) WHERE owner IS NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE idempotency_keys DROP COLUMN owner');
  }
}
