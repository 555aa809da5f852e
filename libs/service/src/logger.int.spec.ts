import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { createDatabase } from '#libs/testing';
import { createDataSource } from './data-source.js';
import { createLogger } from './logger.js';

const CANARY = 'canary@example.com';

describe('the line of an error', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createDatabase();
    const config = { DATABASE_URL: database.url, DATABASE_POOL_SIZE: 2 };
    dataSource = await createDataSource({ entities: [], migrations: [] }, config, Logger).initialize();
    await dataSource.query(
      'CREATE TABLE people (email text NOT NULL CONSTRAINT people_email UNIQUE, age int NOT NULL)',
    );
    await dataSource.query('INSERT INTO people VALUES ($1, 1)', [CANARY]);
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it.each([
    ['unique', 'INSERT INTO people VALUES ($1, 1)', [CANARY], { code: '23505', constraint: 'people_email' }],
    ['not null', 'INSERT INTO people VALUES ($1, NULL)', [CANARY], { code: '23502', column: 'age' }],
    ['unreadable', 'INSERT INTO people VALUES ($1, $2::text::int)', ['x', CANARY], { code: '22P02' }],
    ['no such table', 'INSERT INTO persons VALUES ($1)', [CANARY], { code: '42P01' }],
  ])('says what failed and where, without the values: %s', async (_case, statement, values, expected) => {
    const error: unknown = await dataSource.query(statement, values).catch((cause: unknown) => cause);
    const lines = [
      await lineOf(error),
      await lineOf(new Error('the handler failed', { cause: error })),
      await lineOf(new AggregateError([error], 'several')),
      await lineOf({ err: error, topic: 'users' }),
    ];
    for (const line of lines) {
      expect(line).toContain(expected.code);
      expect(line).not.toContain(CANARY);
    }
    expect(JSON.parse(lines[0]!).err).toMatchObject({ type: 'QueryFailedError', ...expected });
    expect(JSON.parse(lines[0]!).err.stack).toMatch(/^ {4}at .*\n/);
  });

  it('ends where causes go in circles', async () => {
    const error = new Error('a');
    error.cause = error;
    expect(JSON.parse(await lineOf(error)).err).toMatchObject({ message: 'a', causes: [{ message: 'a' }] });
  });

  async function lineOf(message: unknown): Promise<string> {
    const stream = new PassThrough();
    createLogger('test', 'info', stream).error(message, 'Test');
    stream.end();
    return text(stream);
  }
});
