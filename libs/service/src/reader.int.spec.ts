import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { register } from 'prom-client';
import { createDatabase, waitFor, Wire } from '#libs/testing';
import { isDatabaseUnavailable } from './database.errors.js';
import { createDataSource } from './data-source.js';
import { DatabaseModule } from './database.module.js';
import { Reader } from './reader.js';
import { migrate } from './schema-version.js';
import { CONFIG } from './settings.js';

const ECHO = 'SELECT $1::int AS n';
const WHERE_READ = `SELECT current_setting('statement_timeout') AS limit, pg_backend_pid() AS pid WHERE $1`;
const schema = { entities: [], migrations: [], compatibleFrom: 0 };

describe('point reads', () => {
  const ends: (() => unknown)[] = [];
  let url: string;
  let admin: pg.Client;
  beforeEach(async () => {
    const database = await createDatabase();
    url = database.url;
    admin = new pg.Client({ connectionString: url });
    await admin.connect();
    await admin.query('CREATE TABLE things AS SELECT n FROM generate_series(1, 100) AS n');
    ends.push(
      () => admin.end(),
      () => database.drop(),
    );
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  it('of many callers share one connection, and each gets its own answer, in order', async () => {
    const reader = await open();
    const answers: number[] = [];
    const before = await count('pipeline');
    const reads = Array.from({ length: 1000 }, async (_, n) => {
      const row = await reader.one<{ n: number }>(ECHO, [n]);
      answers.push(row!.n);
    });
    await Promise.all(reads);
    expect(answers).toEqual(Array.from({ length: 1000 }, (_, n) => n));
    expect(await count('pipeline')).toBe(before + 1000);
    expect(await waiting()).toBe(0);
    expect(await reader.one(`${ECHO} WHERE false`, [1])).toBeUndefined();
  });

  it('are counted while they wait', async () => {
    const reader = await open();
    const reads = Promise.all([1, 2, 3].map((n) => reader.one(ECHO, [n])));
    expect(await waiting()).toBe(3);
    await reads;
  });

  it('fail alone', async () => {
    const reader = await open();
    const circular: object[] = [];
    circular.push({ circular });
    const reads = await Promise.allSettled([
      reader.one(ECHO, [1]),
      reader.one('SELECT $1::uuid AS id', ['no-uuid']),
      reader.one(ECHO, [2]),
      reader.one('SELECT 1 / $1::int AS n', [0]),
      reader.one('SELECT $1::json AS value', [{ circular }]),
      reader.one('SELECT missing, $1::int FROM nowhere', [0]),
      reader.one(ECHO, [3]),
    ]);
    expect(reads.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(await waiting()).toBe(0);
    // pg closed the statement whose values it could not send, and believes that it is there.
    expect(await reader.one('SELECT $1::json AS value', [{ n: 1 }])).toEqual({ value: { n: 1 } });
    await untilPipelined(reader);
    expect(await reader.one('SELECT $1::json AS value', [{ n: 2 }])).toEqual({ value: { n: 2 } });
  });

  it('do not wait for a long statement of rows', async () => {
    const reader = await open();
    const order: string[] = [];
    const long = reader.rows('SELECT pg_sleep($1)', [1.5]).then(() => order.push('rows'));
    await sleep(100);
    await reader.one(ECHO, [1]).then(() => order.push('one'));
    await long;
    expect(order).toEqual(['one', 'rows']);
  });

  it('behind one that waits for a lock are answered after 2 s, and that one when the lock is free', async () => {
    const reader = await open();
    const read = 'SELECT n FROM things WHERE n = $1';
    await admin.query('BEGIN; LOCK TABLE things IN ACCESS EXCLUSIVE MODE');
    const order: string[] = [];
    // None of the first two can be prepared, and the second was sent without asking for it again.
    const locked = [7, 8].map((n) =>
      reader.one<{ n: number }>(read, [n]).then((row) => order.push(`locked ${row!.n}`)),
    );
    await reader.one(ECHO, [1]).then(() => order.push('free'));
    await admin.query('COMMIT');
    await Promise.all(locked);
    expect(order[0]).toBe('free');
    expect(order.toSorted()).toEqual(['free', 'locked 7', 'locked 8']);
  });

  it('survive that their connection is ended, again and again', async () => {
    const reader = await open();
    const moved = await count('moved');
    const end = Date.now() + 3000;
    const callers = Array.from({ length: 50 }, async (_, caller) => {
      for (let n = caller; Date.now() < end; n += 50) expect(await reader.one(ECHO, [n])).toEqual({ n });
    });
    const killer = (async () => {
      while (Date.now() < end) {
        await admin.query(`SELECT pg_terminate_backend($1)`, [await untilPipelined(reader)]);
        await sleep(50);
      }
    })();
    await Promise.all([...callers, killer]);
    expect(await count('moved')).toBeGreaterThan(moved);
    await untilPipelined(reader);
  });

  it('on a connection that went silent are read from the pool, while others keep coming', async () => {
    const wire = await Wire.to(url);
    ends.unshift(() => wire.close());
    const reader = await open(wire.url);
    wire.lose();
    const begun = Date.now();
    const moved = await count('moved');
    const reads: Promise<unknown>[] = [];
    let answered = 0;
    while (Date.now() - begun < 10_000) {
      reads.push(reader.one(ECHO, [1]).then(() => (answered += 1)));
      await sleep(50);
    }
    // With constant writes, a timeout on the socket alone would not notice that nothing comes back.
    expect(answered).toBeGreaterThan(0);
    await Promise.all(reads);
    expect(await count('moved')).toBeGreaterThan(moved);
    await untilPipelined(reader);
  });

  it('fail as an outage when the whole server went silent', async () => {
    const wire = await Wire.to(url);
    ends.unshift(() => wire.close());
    const reader = await open(wire.url, wire.url);
    await reader.rows(ECHO, [1]);
    wire.lose();
    const error: unknown = await reader.one(ECHO, [1]).catch((cause: unknown) => cause);
    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  it('that would rather fail are refused soon by a server that went silent', async () => {
    const wire = await Wire.to(url);
    ends.unshift(() => wire.close());
    const reader = await open(wire.url, wire.url);
    expect(await reader.rowsAtOnce(ECHO, [1])).toEqual([{ n: 1 }]);
    wire.cut();
    const refusal = await waitFor(
      async () => {
        const read = reader.rowsAtOnce(ECHO, [1]).then(() => undefined);
        const error: unknown = await Promise.race([read.catch((cause: unknown) => cause), sleep(500)]);
        return error as Error | undefined;
      },
      { what: 'a refusal' },
    );
    expect([refusal.message, isDatabaseUnavailable(refusal)]).toEqual(['no connection within 50 ms', true]);
  });

  it('that would rather fail wait for a free connection where the server is well', async () => {
    const reader = await open();
    const busy = Array.from({ length: 4 }, () => reader.rows('SELECT pg_sleep($1)', [0.5]));
    expect(await reader.rowsAtOnce(ECHO, [1])).toEqual([{ n: 1 }]);
    await Promise.all(busy);
  });

  it('that are under way when the service ends are answered where they are', async () => {
    const reader = await open();
    const moved = await count('moved');
    const read = reader.one(ECHO, [1]);
    await reader.close();
    expect(await read).toEqual({ n: 1 });
    expect(await count('moved')).toBe(moved);
  });

  it('take no connection beyond DATABASE_POOL_SIZE', async () => {
    const config = { DATABASE_URL: url, DATABASE_POOL_SIZE: 3 };
    await migrate(schema, config, Logger);
    const app = await NestFactory.createApplicationContext(
      {
        module: class Root {},
        global: true,
        imports: [DatabaseModule.forRoot(schema)],
        providers: [{ provide: CONFIG, useValue: config }],
        exports: [CONFIG],
      },
      { abortOnError: false, logger: false },
    );
    ends.unshift(() => app.close());
    const reader = app.get(Reader);
    await untilPipelined(reader);
    await Promise.all(Array.from({ length: 10 }, () => reader.rows('SELECT pg_sleep($1)', [0.1])));
    // Idle ones are still open, and the admin's own is one of them.
    const { rows } = await admin.query('SELECT FROM pg_stat_activity WHERE datname = current_database()');
    expect(rows).toHaveLength(3 + 1);
  });

  /** @returns a reader whose pipelined connection is open. */
  async function open(pipelineUrl = url, poolUrl = url): Promise<Reader> {
    const dataSource = createDataSource(schema, { DATABASE_URL: poolUrl, DATABASE_POOL_SIZE: 4 }, Logger);
    await dataSource.initialize();
    const reader = new Reader(dataSource, pipelineUrl);
    ends.unshift(
      () => reader.close(),
      () => dataSource.destroy(),
    );
    await untilPipelined(reader);
    return reader;
  }

  /** @returns the process that answers, once it is that of the pipelined connection: its statements end after 2 s. */
  const untilPipelined = (reader: Reader): Promise<number> =>
    waitFor(async () => {
      const row = await reader.one<{ limit: string; pid: number }>(WHERE_READ, [true]);
      return row!.limit === '2s' && row!.pid;
    });
});

async function count(way: string): Promise<number> {
  const { values } = await register.getSingleMetric('tasklane_database_point_reads_total')!.get();
  return values.find(({ labels }) => labels.way === way)!.value;
}

async function waiting(): Promise<number> {
  const { values } = await register.getSingleMetric('tasklane_database_pipeline_waiting')!.get();
  return values[0]!.value;
}
