import { expect, it } from '@jest/globals';
import type { Config } from '../config.js';
import { grpcServer } from './grpc-server.js';

it.each([
  ['0.0.0.0', '0.0.0.0:50051'],
  ['::', '[::]:50051'],
  ['fd00::7', '[fd00::7]:50051'],
])('the gRPC server on %s has the address %s', (LISTEN_ADDRESS, url) => {
  const config = { LISTEN_ADDRESS, GRPC_PORT: 50_051, GRPC_ALLOWED_CALLERS: [] as string[] } as unknown as Config;
  expect(grpcServer(config).options.url).toBe(url);
});
