import { Controller } from '@nestjs/common';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { EventContext, OnEvent } from '../src/index.js';
import { numberDrawn, type TestNumber } from './test-events.js';

/** Records what test handlers did; it has no unique constraint, so duplicates show. */
export class EffectsMigration implements MigrationInterface {
  name = 'Effects1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE effects (
        id bigint GENERATED ALWAYS AS IDENTITY, event_id text NOT NULL, key text NOT NULL, n int NOT NULL, attempt int NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE effects');
  }
}

export interface Effect {
  event_id: string;
  key: string;
  n: number;
  attempt: number;
}

export const record = (context: EventContext, { key, n }: TestNumber): Promise<unknown> =>
  context.tx.query('INSERT INTO effects (event_id, key, n, attempt) VALUES ($1, $2, $3, $4)', [
    context.id,
    key,
    n,
    context.attempt,
  ]);

/** Effects in order of occurrence. */
export const effectsIn = (dataSource: DataSource): Promise<Effect[]> =>
  dataSource.query('SELECT event_id, key, n, attempt FROM effects ORDER BY id');

/** Records every number. */
@Controller()
export class RecordDrawn {
  @OnEvent(numberDrawn)
  async handle(data: TestNumber, context: EventContext): Promise<void> {
    await record(context, data);
  }
}
