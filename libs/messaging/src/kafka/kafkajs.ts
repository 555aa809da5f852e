import { createRequire } from 'node:module';
import kafkajs, { type Kafka } from 'kafkajs';

/*
 * The only file that loads kafkajs (2.2.4, its last release; ADR 14). Its known defects and limits, where each is
 * worked around, and the upstream issue:
 *
 * - timers every millisecond on idle connections                  here                 tulios/kafkajs#1751, #1704
 * - a consumer that stalls for good                               consumer-loop.ts     #659
 * - one that is disconnected while it starts goes on consuming    consumer-loop.ts     #1639
 * - disconnect() is ignored while it reconnects                   consumer-loop.ts     #1147
 * - heartbeats and time limits by the wall clock                  consumer-loop.ts     not reported
 * - what one call sends is one record batch, of any size          sender.ts            #949, #1227
 * - the sequence numbers of a producer after a failure            sender.ts            #598
 * - snappy, lz4 and zstd stop a consumer for good                 codecs.ts            by design: codecs are plugins
 * - retries log the same failure again and again                  kafka.ts             by design
 * - no requests about SCRAM credentials                           here, access/scram.ts  never added
 */
export { Kafka, logLevel, Partitioners } from 'kafkajs';
// Node does not recognise these as named exports of a CommonJS module.
export const { CompressionCodecs, CompressionTypes, ConfigResourceTypes } = kafkajs;
export const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
export type * from 'kafkajs';

const require = createRequire(import.meta.url);

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
  patched?: boolean;
}

/**
 * kafkajs 2.2.4 arms a new timer every millisecond for each open connection, with a negative delay that Node 24 warns
 * about (tulios/kafkajs#1751): some percent of a core at rest. The timer is needed only while requests are held back.
 */
export function patchKafkajs(): void {
  const { prototype } = require('kafkajs/src/network/requestQueue/index.js') as {
    prototype: RequestQueue;
  };
  if (prototype.patched) return;
  prototype.patched = true;
  const original = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) original.call(this);
  };
}

/** Writes the fields of a request, as far as they are used here; "UVarInt" names the compact forms of newer requests. */
export interface Encoder {
  writeInt8(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeUVarInt(value: number): Encoder;
  writeUVarIntString(value: string): Encoder;
  writeUVarIntBytes(value: Buffer): Encoder;
  writeUVarIntArray(values: Encoder[]): Encoder;
}
export interface Decoder {
  readInt8(): number;
  readInt16(): number;
  readInt32(): number;
  readUVarIntString(): string | null;
  readUVarIntArray<T>(read: (decoder: Decoder) => T): T[] | null;
  readTaggedFields(): unknown;
}

export const encoder = (): Encoder => new (require('kafkajs/src/protocol/encoder') as new () => Encoder)();

/** A request of the protocol that kafkajs does not know, of a version with tagged fields (KIP-482). */
export interface ProtocolRequest<T> {
  apiKey: number;
  apiName: string;
  apiVersion: number;
  encode: (encoder: Encoder) => Encoder;
  decode: (decoder: Decoder) => T;
}

interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findControllerBroker(): Promise<{ connectionPool: { send(request: object): Promise<unknown> } }>;
}

/** Sends a request over a connection of its own, with the client's addresses and login. */
export async function sendRequest<T>(kafka: Kafka, request: ProtocolRequest<T>): Promise<T> {
  const { encode, decode, ...api } = request;
  const create = Object.getOwnPropertySymbols(kafka).find(({ description }) =>
    description?.endsWith(':createCluster'),
  )!;
  const cluster = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[create]!({});
  const Reader = require('kafkajs/src/protocol/decoder') as new (payload: Buffer) => Decoder;
  try {
    await cluster.connect();
    await cluster.refreshMetadata();
    const { connectionPool } = await cluster.findControllerBroker();
    const answer = await connectionPool.send({
      // The header of such a request and of its response ends with tagged fields, which kafkajs leaves to the body.
      request: { ...api, encode: async () => encode(encoder().writeUVarInt(0)).writeUVarInt(0) },
      response: {
        decode: async (payload: Buffer) => {
          const decoder = new Reader(payload);
          decoder.readTaggedFields();
          return decode(decoder);
        },
        parse: async (data: T) => data,
      },
    });
    return answer as T;
  } finally {
    await cluster.disconnect();
  }
}
