import { fileURLToPath } from 'node:url';
import type { EventDefinition, RequestDefinition } from './event.js';
import * as topics from './topics.js';

export { type EventDefinition, type RequestDefinition, type Topic } from './event.js';
export * from './topics.js';

const definitions: object[] = Object.values(topics);

/** All events; asyncapi.yaml, the consumer and the compatibility test are derived from this list. */
export const events = definitions.filter((one): one is EventDefinition => 'topic' in one && 'schema' in one);

export const requests = definitions.filter((one): one is RequestDefinition => 'request' in one && 'reply' in one);

/** Path of the gRPC contract `users.v1`, for proto-loader. */
export const usersProto = fileURLToPath(new URL('./users.proto', import.meta.url));
