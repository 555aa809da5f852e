import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { choosePorts } from './layout.js';
import { freePort } from '../supervise/ports.js';

const names = ['users', 'todos', 'notifications'];

const flat = async (edge: number, mailbox: number) => {
  const { services, ...others } = await choosePorts(names, edge, mailbox);
  return [...Object.values(services).flatMap((ports) => Object.values(ports) as number[]), ...Object.values(others)];
};

describe('choosePorts', () => {
  it('keeps fixed distances to the port of the edge', async () => {
    expect(await choosePorts(names, 30_000, 30_999)).toEqual({
      services: {
        users: { http: 30_001, metrics: 30_101, grpc: 30_201 },
        todos: { http: 30_002, metrics: 30_102, grpc: 30_202 },
        notifications: { http: 30_003, metrics: 30_103, grpc: 30_203 },
      },
      postgres: 30_432,
      kafka: 30_092,
      kafkaController: 30_093,
      smtp: 30_025,
    });
  });

  it('goes elsewhere where a port is taken, by a stranger or the mailbox, or does not exist', async () => {
    const edge = await freePort();
    const stranger = createServer().listen(edge + 2, '127.0.0.1');
    await once(stranger, 'listening');
    const ports = await flat(edge, edge + 25);
    stranger.close();
    expect(ports).not.toContain(edge + 2);
    expect(ports).not.toContain(edge + 25);
    expect(new Set(ports).size).toBe(13);
    expect(Math.max(...(await flat(65_400, 1)))).toBeLessThan(65_536);
  });
});
