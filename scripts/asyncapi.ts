import { stringify } from 'yaml';
import { z } from 'zod';
import { type EventDefinition, events, type RequestDefinition, requests, type Topic } from '#libs/contracts';

const jsonSchema = (schema: z.ZodType) => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema);
  return rest;
};

const camel = (name: string) => name.replace(/[.-](\w)/g, (_match, letter: string) => letter.toUpperCase());

function eventMessage(event: EventDefinition) {
  return {
    name: event.type,
    summary: event.description,
    contentType: 'application/json',
    headers: { $ref: '#/components/schemas/cloudEventHeaders' },
    payload: jsonSchema(event.schema),
    examples: [{ headers: { ce_type: event.type }, payload: event.example }],
  };
}

function eventChannel(topic: Topic) {
  const ofTopic = events.filter((event) => event.topic === topic);
  return {
    address: `{prefix}.${topic.name}`,
    parameters: { prefix: { description: 'TOPIC_PREFIX', default: 'tasklane' } },
    description:
      topic.cleanup === 'compact'
        ? `Compacted: the last state of every key is kept for ever, what it replaces may be removed after ${keptFor(topic)}.`
        : `Kept for ${keptFor(topic)}.`,
    bindings: { kafka: { topicConfiguration: { 'cleanup.policy': [topic.cleanup] } } },
    messages: Object.fromEntries(
      ofTopic.map((event) => [camel(event.type), { $ref: `#/components/messages/${camel(event.type)}` }]),
    ),
  };
}

function keptFor({ retention }: Topic): string {
  const days = retention / 86_400_000;
  return days === 1 ? 'a day' : `${days} days`;
}

function requestMessages(request: RequestDefinition) {
  const name = camel(request.name);
  return {
    [`${name}Request`]: {
      name: `${request.name} request`,
      summary: request.description,
      contentType: 'application/json',
      headers: { $ref: '#/components/schemas/requestHeaders' },
      payload: jsonSchema(request.request),
      examples: [{ payload: request.example.request }],
    },
    [`${name}Reply`]: {
      name: `${request.name} reply`,
      contentType: 'application/json',
      headers: { type: 'object', properties: { 'correlation-id': { type: 'string' } }, required: ['correlation-id'] },
      payload: jsonSchema(request.reply),
      examples: [{ payload: request.example.reply }],
    },
  };
}

const cloudEventHeaders = {
  type: 'object',
  description: 'CloudEvents 1.0, Kafka binary mode',
  properties: {
    ce_id: { type: 'string', format: 'uuid' },
    ce_type: { type: 'string' },
    ce_source: { type: 'string' },
    ce_time: { type: 'string', format: 'date-time' },
    ce_specversion: { const: '1.0' },
    'content-type': { const: 'application/json' },
    traceparent: { type: 'string', description: 'W3C Trace Context' },
  },
  required: ['ce_id', 'ce_type', 'ce_source', 'ce_time', 'ce_specversion'],
};

const requestHeaders = {
  type: 'object',
  properties: {
    'reply-topic': {
      type: 'string',
      description: 'Where the answer goes: {prefix}.<anything>.replies, or what REPLY_TOPIC_PREFIXES allows',
    },
    'correlation-id': { type: 'string', description: 'Comes back with the answer' },
    deadline: {
      type: 'string',
      format: 'date-time',
      description: 'Optional: after it the request is not handled any more; clocks may be 5 s apart',
    },
    ce_id: { type: 'string', description: 'Optional: makes a repeated request one request' },
  },
  required: ['reply-topic', 'correlation-id'],
};

/** The AsyncAPI 3 description of all topics, events and requests, generated from the contracts. */
export function asyncApi(version: string): string {
  const topics = [...new Set(events.map((event) => event.topic))];
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Tasklane events',
      version,
      description: 'CloudEvents 1.0 in Kafka binary mode; the key of a message is the id of its aggregate.',
    },
    channels: {
      ...Object.fromEntries(topics.map((topic) => [topic.name, eventChannel(topic)])),
      ...Object.fromEntries(
        requests.map((request) => [
          camel(request.name),
          {
            address: request.topic,
            messages: { request: { $ref: `#/components/messages/${camel(request.name)}Request` } },
          },
        ]),
      ),
      replies: {
        address: null,
        description: "The caller's own topic, named in the request's header reply-topic.",
        messages: Object.fromEntries(
          requests.map((request) => [
            camel(request.name),
            { $ref: `#/components/messages/${camel(request.name)}Reply` },
          ]),
        ),
      },
    },
    operations: Object.fromEntries(
      requests.map((request) => [
        camel(request.name),
        {
          action: 'receive',
          channel: { $ref: `#/channels/${camel(request.name)}` },
          reply: { channel: { $ref: '#/channels/replies' } },
        },
      ]),
    ),
    components: {
      messages: {
        ...Object.fromEntries(events.map((event) => [camel(event.type), eventMessage(event)])),
        ...Object.assign({}, ...requests.map(requestMessages)),
      },
      schemas: { cloudEventHeaders, requestHeaders },
    },
  };
  return `# Generated from libs/contracts by "npm run docs".\n${stringify(document, { aliasDuplicateObjects: false })}`;
}
