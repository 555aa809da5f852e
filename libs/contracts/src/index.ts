import { fileURLToPath } from 'node:url';
import { userRegistered } from './accounts.topic.js';
import { authValidate } from './auth-validate.request.js';
import type { EventDefinition, RequestDefinition } from './event.js';
import { sessionRevoked } from './sessions.topic.js';
import {
  itemCompleted,
  itemCreated,
  itemDeleted,
  itemUpdated,
  listCreated,
  listDeleted,
  listUpdated,
} from './todos.topic.js';
import { userChanged, userErased } from './users.topic.js';

export * from './accounts.topic.js';
export * from './auth-validate.request.js';
export { type EventDefinition, type RequestDefinition, type Topic } from './event.js';
export * from './sessions.topic.js';
export * from './todos.topic.js';
export * from './users.topic.js';

/** Every event that travels in the system; asyncapi.yaml, the consumer and the compatibility test are made from this list. */
export const events = [
  userChanged,
  userErased,
  userRegistered,
  sessionRevoked,
  listCreated,
  listUpdated,
  listDeleted,
  itemCreated,
  itemUpdated,
  itemCompleted,
  itemDeleted,
] as EventDefinition[];

export const requests = [authValidate] as RequestDefinition[];

const byType = new Map(events.map((event) => [event.type, event]));

/** The definition of an event type, or undefined for a type this version does not know. */
export const eventOfType = (type: string): EventDefinition | undefined => byType.get(type);

/** Path of the gRPC contract `users.v1`, for proto-loader. */
export const usersProto = fileURLToPath(new URL('./users.proto', import.meta.url));
