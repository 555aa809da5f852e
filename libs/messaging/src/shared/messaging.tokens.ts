import type { EventDefinition, RequestDefinition } from '#libs/contracts';

export const MESSAGING = Symbol('MESSAGING');

/** The options of MessagingModule.forRoot, with the defaults filled in. */
export interface MessagingOptions {
  /** Name of the service: its consumer group, the first part of its own topics, and the `source` of its events. */
  group: string;
  /** All events and requests that exist; by default those of libs/contracts. */
  events: EventDefinition[];
  requests: RequestDefinition[];
}
