import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { KafkaClient, waitFor, Wire } from '#libs/testing';
import type { ReplicaOptions } from '../libs/messaging/test/replica.js';
import { violations } from './check.js';
import { strike, type Target } from './faults.js';
import { type Plan, REPLICAS, SOON } from './plan.js';
import { Publishers } from './publish.js';
import type { Order } from './replica.js';
import { type Servers, startServers } from './servers.js';

const program = fileURLToPath(new URL('replica.js', import.meta.url));
/** Milliseconds: far longer than taking over a lost shard and sending everything takes. */
const PATIENCE = 60_000;

/** Servers and processes that are used by many plans, sequentially. */
export class Arena {
  private readonly processes: (ChildProcess | undefined)[] = [];
  private mutant: string | undefined;

  private constructor(private readonly servers: Servers) {}

  static async open(): Promise<Arena> {
    return new Arena(await startServers());
  }

  /** Runs a plan on its own database and topics, and checks the result. */
  async run(plan: Plan, mutant?: string): Promise<{ found: string[]; events: number }> {
    const name = `torture_${plan.seed}_${Date.now()}`;
    await this.servers.execute(`CREATE DATABASE ${name}`);
    // A mutant may have state from the previous plan.
    if (mutant || mutant !== this.mutant) this.dismiss();
    this.mutant = mutant;
    const targets = await Promise.all(Array.from({ length: REPLICAS }, (_, n) => this.target(n, name)));
    const publishers = await Publishers.open(this.url(name), name, plan);
    try {
      const [, ...struck] = await Promise.allSettled([
        publishers.run(),
        ...plan.faults.map((fault) => strike(fault, targets, this.servers, this.url(name))),
      ]);
      for (const result of struck) if (result.status === 'rejected') throw result.reason;
      const truth = await publishers.truth();
      const handled = async () => {
        const [row] = await publishers.dataSource.query<[{ rows: number; effects: number }]>(
          `SELECT (SELECT count(*) FROM outbox)::int AS rows, (SELECT count(DISTINCT event_id) FROM effects)::int AS effects`,
        );
        return row.rows === 0 && row.effects >= truth.size;
      };
      const waited = await waitFor(handled, { timeout: PATIENCE, interval: 100 }).catch(() => false);
      // Sends that are still in flight have arrived by now.
      await sleep(1000);
      const messages = await this.readAll(`${name}.numbers`);
      const found = await violations(messages, truth, publishers.dataSource);
      if (!waited) found.unshift(`not all was sent and handled within ${PATIENCE / 1000} s`);
      return { found, events: truth.size };
    } finally {
      await publishers.dataSource.destroy();
      await Promise.all(targets.map((target) => target.order({})));
      const wires = targets.flatMap(({ kafka, postgres }) => [...kafka.values(), postgres]);
      await Promise.all(wires.map((wire) => wire.close()));
      await this.servers.execute(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  }

  async close(): Promise<void> {
    this.dismiss();
    await this.servers.close();
  }

  private dismiss(): void {
    for (const child of this.processes.splice(0)) child?.kill('SIGKILL');
  }

  private url = (database: string): string => `postgres://postgres@127.0.0.1:${this.servers.postgresPort}/${database}`;

  private get brokers(): string {
    return this.servers.brokers.map(({ port }) => `127.0.0.1:${port}`).join(',');
  }

  private readAll(topic: string) {
    return new KafkaClient(this.brokers).readAll(topic);
  }

  /** Starts a replica behind wires of its own. */
  private async target(n: number, database: string): Promise<Target> {
    const postgres = await Wire.to(this.url(database));
    const kafka = new Map<number, Wire>();
    for (const { port } of this.servers.brokers) kafka.set(port, await Wire.to(`kafka://127.0.0.1:${port}`));
    // Identifies its sessions.
    const databaseUrl = `${postgres.url}?application_name=replica-${n}`;
    const start: ReplicaOptions = { databaseUrl, brokers: this.brokers, prefix: database };
    const wires = Object.fromEntries([...kafka].map(([port, wire]) => [port, wire.port]));
    const order = (given: Order) => this.order(n, given);
    await order({ start, wires });
    let crashing: Promise<void> | undefined;
    const crash = async () => {
      const child = this.processes[n]!;
      child.kill('SIGKILL');
      await once(child, 'exit');
      await order({ start, wires });
    };
    return {
      name: `replica-${n}`,
      kafka,
      postgres,
      order,
      signal: (signal) => this.processes[n]!.kill(signal),
      freeze: async (point) => {
        const child = this.processes[n]!;
        child.send({ freeze: point } satisfies Order);
        await sleep(point === 'anywhere' ? 0 : SOON);
        child.kill('SIGSTOP');
      },
      crash: () => (crashing ??= crash().finally(() => (crashing = undefined))),
    };
  }

  private async order(n: number, order: Order): Promise<void> {
    let child = this.processes[n];
    if (!child || child.exitCode !== null || child.signalCode !== null) {
      const env = { ...process.env, ...(this.mutant && { MUTANT: this.mutant }) };
      child = fork(program, { env, execArgv: ['--disable-warning=TimeoutNegativeWarning'] });
      this.processes[n] = child;
    }
    const answered = new AbortController();
    const { signal } = answered;
    const ended = once(child, 'exit', { signal }).then(() => {
      throw new Error(`replica ${n} ended by itself`);
    });
    ended.catch(() => undefined);
    child.send(order);
    try {
      await Promise.race([once(child, 'message', { signal }), ended]);
    } finally {
      answered.abort();
    }
  }
}
