import { randomUUID } from 'node:crypto';
import { cpus, totalmem } from 'node:os';
import { ownKafka, ownPostgres, query } from '#libs/testing';

/** PostgreSQL with fsync, and Kafka, for one run of the benchmarks. */
export interface Servers {
  brokers: string;
  createDatabase(): Promise<string>;
  close(): Promise<void>;
}

export async function startServers(): Promise<Servers> {
  const [postgres, kafka] = await Promise.all([ownPostgres({ fsync: true }), ownKafka()]);
  return {
    brokers: kafka.brokers,
    createDatabase: async () => {
      const name = `bench_${randomUUID().replaceAll('-', '')}`;
      await query(postgres.url, `CREATE DATABASE ${name}`);
      return postgres.url.replace(/[^/]*$/, name);
    },
    close: async () => {
      await Promise.all([kafka.remove(), postgres.remove()]);
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
