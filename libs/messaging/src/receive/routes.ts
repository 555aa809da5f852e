import { createHash } from 'node:crypto';
import type { EventDefinition, RequestDefinition } from '#libs/contracts';
import { z } from 'zod';
import { attributesOf, type EventAttributes, jsonOf, type Received, timeOf, Unusable } from '../kafka/cloud-event.js';
import type { EventContext } from './event-context.js';
import type { TopicNames } from '../kafka/topics.js';

export type Handler = (data: unknown, context: EventContext) => Promise<unknown>;

export interface HandlerOptions {
  /** A failing event holds up the events after it in its partition, instead of being retried later. */
  ordered?: boolean;
  /**
   * Every replica handles every event of the topic in memory: no transaction, no inbox. At its start it reads them from the
   * beginning, or those of the `last` milliseconds (of clocks that may differ: leave a margin).
   */
  broadcast?: true | { last: number };
}

export interface Work {
  message: Received;
  inboxId: string;
  attributes: EventAttributes;
  data: unknown;
  attempt: number;
  ordered: boolean;
  handlers: Handler[];
  /** Only for a request. The caller stops waiting at `expiresAt` (milliseconds of the wall clock, tolerance included). */
  reply?: { topic: string; correlationId: string; definition: RequestDefinition; expiresAt: number };
}

/** Headers that the retry and dead-letter topics add to those of the message. */
export const FAILURE = {
  topic: 'tasklane-origin-topic',
  partition: 'tasklane-origin-partition',
  offset: 'tasklane-origin-offset',
  attempt: 'tasklane-attempt',
  reason: 'tasklane-reason',
  failedAt: 'tasklane-failed-at',
  due: 'tasklane-due',
} as const;

/** Tolerated difference between the clocks of caller and callee, in milliseconds; beyond it, live requests may be refused. */
const CLOCK_TOLERANCE = 5000;
/** How long a reply is kept for a caller that sends no deadline, in milliseconds. */
const REPLY_KEPT = 60 * 60 * 1000;

const FAILURE_NAMES: ReadonlySet<string> = new Set(Object.values(FAILURE));

interface Route {
  definition: EventDefinition;
  ordered: boolean;
  /** Of a broadcast: how far back it is read at start, in milliseconds. */
  last: number;
  handlers: Handler[];
}

/** Finds the handlers of a message. Filled at start by EventServer. */
export class Routes {
  private readonly events = new Map<string, Route>();
  private readonly requests = new Map<string, { definition: RequestDefinition; handler: Handler }>();

  constructor(
    private readonly names: TopicNames,
    private readonly knownEvents: EventDefinition[],
    private readonly knownRequests: RequestDefinition[],
  ) {}

  addEvent(type: string, handler: Handler, options: HandlerOptions): void {
    const definition = this.knownEvents.find((event) => event.type === type);
    if (!definition) throw new Error(`there is a handler for "${type}", but no such event in libs/contracts`);
    const route = this.events.get(type) ?? { definition, ordered: false, last: 0, handlers: [] };
    route.handlers.push(handler);
    route.ordered ||= options.ordered ?? false;
    route.last = Math.max(route.last, options.broadcast === true ? Infinity : (options.broadcast?.last ?? 0));
    this.events.set(type, route);
  }

  addRequest(name: string, handler: Handler): void {
    const definition = this.knownRequests.find((request) => request.name === name);
    if (!definition) throw new Error(`there is a handler for "${name}", but no such request in libs/contracts`);
    if (this.requests.has(definition.topic)) throw new Error(`two handlers answer "${name}"`);
    this.requests.set(definition.topic, { definition, handler });
  }

  get topics(): string[] {
    const ofEvents = [...this.events.values()].map(({ definition }) => this.names.event(definition.topic));
    return [...new Set([...ofEvents, ...this.requests.keys()])];
  }

  /** How far back a topic of broadcasts is read at start, in milliseconds: as far as the most demanding handler needs. */
  lastOf = (topic: string): number => {
    const ofTopic = [...this.events.values()].filter(({ definition }) => this.names.event(definition.topic) === topic);
    return Math.max(...ofTopic.map(({ last }) => last));
  };

  get requestTopics(): string[] {
    return [...this.requests.keys()];
  }

  /** The message without headers by which a stranger could claim earlier failures: only this group writes to its retry topics. */
  admit(message: Received): Received {
    if (this.names.isRetry(message.topic)) return message;
    const headers = Object.entries(message.headers).filter(([name]) => !FAILURE_NAMES.has(name));
    return { ...message, headers: Object.fromEntries(headers) };
  }

  /**
   * Takes only messages that `admit` returned.
   * @returns undefined for what no handler here wants. @throws Unusable for what no handler could ever take.
   */
  find(message: Received): Work | undefined {
    const { headers, topic } = message;
    const origin = headers[FAILURE.topic] ?? topic;
    const request = this.requests.get(origin);
    const attempt = (Number(headers[FAILURE.attempt]) || 0) + 1;
    if (request) return { ...this.requestWork(message, origin, request), attempt };
    const attributes = attributesOf(headers);
    const route = this.events.get(attributes.type);
    if (!route) return undefined;
    if (this.names.event(route.definition.topic) !== origin)
      throw new Unusable(`an event of type ${attributes.type} does not belong in the topic ${origin}`);
    return {
      message,
      // Ids are unique only within their source. Neither a source nor the id of a request contains a space.
      inboxId: `${attributes.source} ${attributes.id}`,
      attributes,
      data: checked(route.definition.schema, jsonOf(message.value)),
      attempt,
      // In a retry topic the order is already lost.
      ordered: route.ordered && origin === topic,
      handlers: route.handlers,
    };
  }

  private requestWork(
    message: Received,
    origin: string,
    { definition, handler }: { definition: RequestDefinition; handler: Handler },
  ): Omit<Work, 'attempt'> {
    const { headers } = message;
    const { 'reply-topic': topic, 'correlation-id': correlationId } = headers;
    if (!topic || !correlationId) throw new Unusable('a request needs the headers reply-topic and correlation-id');
    if (!this.names.mayReplyTo(topic)) throw new Unusable(`replies cannot go to the topic ${topic.slice(0, 249)}`);
    const { ce_id: id = positionOf(message), ce_source: source = 'unknown' } = headers;
    // Without an id it is identified by its offset, which a topic that was deleted and recreated uses again.
    const identity = headers.ce_id ? [source, id] : [id, topic, correlationId];
    return {
      message,
      // Callers choose their ids, of any length: a namespace of their own keeps them from marking an event or another's request as done.
      inboxId: `${origin}#${createHash('sha256').update(JSON.stringify(identity)).digest('base64url')}`,
      attributes: { id, type: definition.name, source, time: timeOf(headers) },
      data: checked(definition.request, jsonOf(message.value)),
      ordered: false,
      handlers: [handler],
      reply: { topic, correlationId, definition, expiresAt: expiryOf(headers) },
    };
  }
}

function expiryOf({ deadline }: Received['headers']): number {
  if (!deadline) return Date.now() + REPLY_KEPT;
  const time = Date.parse(deadline);
  if (Number.isNaN(time)) throw new Unusable('the header deadline is no time (RFC 3339)');
  return time + CLOCK_TOLERANCE;
}

function positionOf({ headers, topic, partition, offset }: Received): string {
  if (!headers[FAILURE.topic]) return `${topic}/${partition}/${offset}`;
  return `${headers[FAILURE.topic]}/${headers[FAILURE.partition]}/${headers[FAILURE.offset]}`;
}

function checked<T>(schema: z.ZodType<T>, data: unknown): T {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  throw new Unusable(`the data does not fit its schema: ${z.prettifyError(result.error)}`);
}
