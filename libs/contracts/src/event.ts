import type { z } from 'zod';

/** A Kafka topic; its name on the broker is `<TOPIC_PREFIX>.<name>`, its key always the aggregate's id. */
export interface Topic {
  name: string;
  /**
   * `compact` keeps the last value of each key for ever, what it replaces for `retention` milliseconds at most before it may be
   * removed; `delete` keeps everything for `retention`.
   */
  cleanup: 'compact' | 'delete';
  retention: number;
}

/** One kind of event: the `data` of a CloudEvent 1.0 whose `type` is this `type`. */
export interface EventDefinition<T = unknown> {
  type: string;
  description: string;
  topic: Topic;
  schema: z.ZodType<T>;
  example: T;
}

/** A question asked over the broker and answered on the caller's reply topic. */
export interface RequestDefinition<Q = unknown, A = unknown> {
  name: string;
  description: string;
  /** The full name of the topic, without a prefix: callers of other systems know it by this name. */
  topic: string;
  request: z.ZodType<Q>;
  reply: z.ZodType<A>;
  example: { request: Q; reply: A };
}

export const days = (count: number) => count * 24 * 60 * 60 * 1000;

/** Lets TypeScript infer `T` from the schema, so that type and validation cannot drift apart. */
export function defineEvent<S extends z.ZodType>(definition: {
  type: string;
  description: string;
  topic: Topic;
  schema: S;
  example: z.output<S>;
}): EventDefinition<z.output<S>> {
  return definition as EventDefinition<z.output<S>>;
}
