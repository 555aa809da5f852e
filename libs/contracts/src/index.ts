import { fileURLToPath } from 'node:url';
import type { EventDefinition, RequestDefinition } from './event.js';
import * as topics from './topics.js';

export { type EventDefinition, type RequestDefinition, type Topic } from './event.js';
export * from './topics.js';

const definitions: object[] = Object.values(topics);

/** All events; asyncapi.yaml, the consumer and the compatibility test are derived from this list. */
export const events = definitions.filter((one): one is EventDefinition => 'topic' in one && 'schema' in one);

export const requests = definitions.filter((one): one is RequestDefinition => 'request' in one && 'reply' in one);

const byType = new Map(events.map((event) => [event.type, event]));

/** The definition of an event type; undefined for one that this version does not know. */
export const eventOfType = (type: string): EventDefinition | undefined => byType.get(type);

/** Path of the gRPC contract `users.v1`, for proto-loader. */
export const usersProto = fileURLToPath(new URL('./users.proto', import.meta.url));
