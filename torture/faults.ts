import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '#libs/testing';
import pg from 'pg';
import type { Fault, Point } from './plan.js';
import type { Order } from './replica.js';
import type { Servers } from './servers.js';

/** A replica, as faults see it. */
export interface Target {
  /** The application_name of its sessions. */
  name: string;
  /** By the port of the broker. */
  kafka: Map<number, Wire>;
  postgres: Wire;
  signal(signal: NodeJS.Signals): void;
  /** Stops it at that point if it reaches it within SOON, else wherever it is. */
  freeze(point: Point): Promise<void>;
  /** Kills it and starts it again. */
  crash(): Promise<void>;
  order(order: Order): Promise<void>;
}

/** Injects one fault at its time, and repairs it. */
export async function strike(fault: Fault, targets: Target[], servers: Servers, database: string): Promise<void> {
  await sleep(fault.at);
  if (fault.kind === 'snapshot') return holdSnapshot(database, fault.lasts);
  if (fault.kind === 'kill-broker' || fault.kind === 'lone-broker') {
    const broker = servers.brokers[fault.broker]!;
    const others = fault.kind === 'lone-broker' ? servers.brokers.filter((other) => other !== broker) : [];
    // What the broker takes meanwhile is nowhere else; the others still count as in sync.
    for (const other of others) other.signal('SIGSTOP');
    if (others.length > 0) await sleep(1000);
    await broker.kill();
    for (const other of others) other.signal('SIGCONT');
    await sleep(Math.min(fault.lasts, 3000));
    return broker.start();
  }
  const target = targets[fault.replica]!;
  const loseSession = () =>
    servers.execute('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
      target.name,
    ]);
  if (fault.kind === 'lose-session') return loseSession();
  if (fault.kind === 'kill') return target.crash();
  const wires = fault.kind === 'cut-kafka' ? [...target.kafka.values()] : [target.postgres];
  if (fault.kind === 'freeze') await target.freeze(fault.point);
  else for (const wire of wires) wire.cut(fault.direction);
  try {
    // Long enough to send something into the cut.
    if (fault.kind !== 'freeze') await sleep(300);
    if (fault.loses) await loseSession();
    await sleep(fault.lasts);
  } finally {
    if (fault.kind === 'freeze') target.signal('SIGCONT');
    else for (const wire of wires) wire.heal();
  }
}

async function holdSnapshot(database: string, lasts: number): Promise<void> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT count(*) FROM outbox');
  await sleep(lasts);
  await client.end();
}
