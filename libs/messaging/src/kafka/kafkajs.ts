import { createRequire } from 'node:module';
import kafkajs from 'kafkajs';

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
 */
export { Kafka, logLevel, Partitioners } from 'kafkajs';
// Node does not recognise these as named exports of a CommonJS module.
export const { CompressionCodecs, CompressionTypes, ConfigResourceTypes } = kafkajs;
export type * from 'kafkajs';

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
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
    prototype: RequestQueue;
  };
  if (prototype.patched) return;
  prototype.patched = true;
  const original = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) original.call(this);
  };
}
