import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startKafka } from '#local/servers/kafka.js';
import { freePort } from '#local/supervise/ports.js';
import { startPostgres } from '#local/servers/postgres.js';

/** PostgreSQL with fsync, and Kafka, for one run of the benchmarks. */
export interface Servers {
  brokers: string;
  createDatabase(): Promise<string>;
  close(): Promise<void>;
}

export async function startServers(): Promise<Servers> {
  const directory = mkdtempSync(join(tmpdir(), 'tasklane-bench-'));
  const postgres = await startPostgres({
    data: join(directory, 'postgres'),
    port: await freePort(),
    log: join(directory, 'postgres.log'),
  });
  const port = await freePort();
  const kafka = await startKafka({
    data: join(directory, 'kafka'),
    port,
    controllerPort: await freePort(),
    log: join(directory, 'kafka.log'),
  });
  return {
    brokers: `127.0.0.1:${port}`,
    createDatabase: async () => {
      const name = `bench_${randomUUID().replaceAll('-', '')}`;
      const client = new pg.Client({ connectionString: postgres.url() });
      await client.connect();
      await client.query(`CREATE DATABASE ${name}`);
      await client.end();
      return postgres.url(name);
    },
    close: async () => {
      await Promise.all([kafka.process.kill(), postgres.process.kill()]);
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Collects the results as Markdown. */
export class Report {
  private readonly lines: string[] = [];

  constructor(private readonly date = new Date()) {}

  progress(message: string): void {
    process.stderr.write(`${message}\n`);
  }

  row(name: string, figures: Record<string, string>): void {
    this.lines.push(`## ${name}`, '', '| what | measured |', '| --- | --- |');
    for (const [what, value] of Object.entries(figures)) this.lines.push(`| ${what} | ${value} |`);
    this.lines.push('');
  }

  toString(): string {
    const [cpu] = cpus();
    const machine = `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`;
    return [`# ${this.date.toISOString().slice(0, 10)}`, '', machine, '', ...this.lines].join('\n');
  }
}
