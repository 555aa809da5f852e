import { describe, expect, it } from '@jest/globals';
import type { Received } from '../kafka/cloud-event.js';
import { PartitionWorker, type WorkerTools } from './partition-worker.js';

const message = (size: number): Received => ({
  topic: 't',
  partition: 0,
  offset: '0',
  key: 'k',
  value: Buffer.alloc(size),
  headers: {},
  readAt: 0,
});

describe('the queue of a partition', () => {
  const never = new Promise<never>(() => undefined);
  const tools = { routes: { admit: (given: Received) => given, find: () => never } } as unknown as WorkerTools;

  it('is full by number or by its part of the bytes, which shrinks when this process gets more partitions', () => {
    let room = 1000;
    const worker = new PartitionWorker(
      't',
      0,
      tools,
      () => room,
      () => undefined,
    );
    // The first twenty are being worked at and wait no longer.
    worker.push(Array.from({ length: 20 }, () => message(100)));
    expect([worker.full, worker.low]).toEqual([false, true]);
    worker.push([message(400)]);
    expect([worker.full, worker.low]).toEqual([false, false]);
    room = 400;
    expect(worker.full).toBe(true);
    room = 1_000_000;
    worker.push(Array.from({ length: 999 }, () => message(1)));
    expect([worker.full, worker.low]).toEqual([true, false]);
  });
});
