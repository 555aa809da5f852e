import net from 'node:net';
import { Controller } from '@nestjs/common';
import type { Kafka } from 'kafkajs';
import { EventContext, OnEvent } from '#libs/messaging';
import { record } from '../libs/messaging/test/effects.js';
import { type Replica, type ReplicaOptions, startReplica } from '../libs/messaging/test/replica.js';
import { numberErased, numberRaised, type TestNumber } from '../libs/messaging/test/test-events.js';
import { mutate } from './mutants.js';
import { onRead } from './on-read.js';
import { type Point, SOON } from './plan.js';

// A process with one replica for each plan in turn. It reaches the brokers over wires: brokers name their own ports.

@Controller()
class RecordAll {
  @OnEvent(numberRaised, { ordered: true })
  async raised(data: TestNumber, context: EventContext): Promise<void> {
    await record(context, data);
  }

  @OnEvent(numberErased, { ordered: true })
  async erased(_tombstone: null, context: EventContext): Promise<void> {
    await record(context, { key: context.key, n: 0 });
  }
}

export interface Order {
  freeze?: Point;
  start?: ReplicaOptions;
  /** The wire for each port of a broker. */
  wires?: Record<number, number>;
}

let wires: Record<number, number> = {};
const connect = net.connect.bind(net) as (options: net.NetConnectOpts, listener?: () => void) => net.Socket;
Object.assign(net, {
  connect: (options: net.TcpNetConnectOpts, listener?: () => void) =>
    connect({ ...options, port: wires[options.port] ?? options.port }, listener),
});

const wrap = mutate(process.env.MUTANT);
/** The point at which it stops itself; after `until` it has been stopped from outside. */
let freezing: { point: Point; until: number } | undefined;

function pass(point: Point): void {
  if (freezing?.point !== point || performance.now() > freezing.until) return;
  freezing = undefined;
  process.kill(process.pid, 'SIGSTOP');
}

onRead(({ rows }) => {
  if (rows.length > 0) pass('read');
});

function freezable(kafka: Kafka): Kafka {
  const producer = kafka.producer.bind(kafka);
  kafka.producer = (config) => {
    const created = producer(config);
    const sendBatch = created.sendBatch.bind(created);
    created.sendBatch = (batch) => {
      pass('send');
      return sendBatch(batch);
    };
    return created;
  };
  return wrap?.kafka?.(kafka) ?? kafka;
}

let replica: Replica | undefined;

async function obey(order: Order): Promise<void> {
  freezing = order.freeze && { point: order.freeze, until: performance.now() + SOON };
  if (freezing) return;
  await replica?.close();
  replica = undefined;
  wires = order.wires ?? {};
  if (order.start)
    replica = await startReplica({ ...order.start, controllers: [RecordAll], wrap: { ...wrap, kafka: freezable } });
  process.send?.('done');
}

process.on('message', (order: Order) => {
  obey(order).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
process.on('disconnect', () => process.exit());
