import { randomBytes } from 'node:crypto';
import { context, propagation } from '@opentelemetry/api';
import type { IHeaders, KafkaMessage } from './kafkajs.js';

/** Headers of a message; Kafka stores bytes, this system uses only text. */
export type Headers = Record<string, string>;

export interface Received {
  topic: string;
  partition: number;
  offset: string;
  key: string;
  /** Null for a tombstone. */
  value: Buffer | null;
  headers: Headers;
  /** When it was read, by the monotonic clock, in milliseconds. */
  readAt: number;
}

export interface EventAttributes {
  id: string;
  type: string;
  source: string;
  time: Date;
}

/** The message can never be handled, so it goes to the dead letters without a retry. */
export class Unusable extends Error {}

/** A UUIDv7 (RFC 9562 §5.7): sorts by time, so that the inbox's index grows at its end. */
export function uuidv7(now = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Headers of a new event in the binary mode of the Kafka binding, with the trace it belongs to. */
export function eventHeaders(type: string, source: string): Headers {
  const headers: Headers = {
    ce_specversion: '1.0',
    ce_id: uuidv7(),
    ce_type: type,
    ce_source: source,
    ce_time: new Date().toISOString(),
    'content-type': 'application/json',
  };
  propagation.inject(context.active(), headers);
  return headers;
}

/** @throws Unusable when an attribute that CloudEvents requires is missing, or what identifies the event is too long. */
export function attributesOf(headers: Headers): EventAttributes {
  const { ce_id: id, ce_type: type, ce_source: source } = headers;
  if (!id || !type || !source) throw new Unusable('it is no CloudEvent: ce_id, ce_type or ce_source is missing');
  if (id.length > 200 || source.length > 200) throw new Unusable('ce_id or ce_source is longer than 200 characters');
  if (/\s/.test(source)) throw new Unusable('ce_source is no URI reference: it contains white space');
  return { id, type, source, time: timeOf(headers) };
}

/** When the event happened; the current time if its `ce_time` is missing or invalid. */
export function timeOf({ ce_time: text }: Headers): Date {
  const time = new Date(text ?? NaN);
  return Number.isNaN(time.getTime()) ? new Date() : time;
}

/** @throws Unusable when the value is not JSON. A tombstone is null. */
export function jsonOf(value: Buffer | null): unknown {
  if (value === null) return null;
  try {
    return JSON.parse(value.toString('utf8'));
  } catch (error) {
    throw new Unusable(`the value is no JSON: ${(error as Error).message}`);
  }
}

/** Never throws, whatever a foreign producer sent: that would stop the whole consumer. */
export function received(topic: string, partition: number, message: KafkaMessage): Received {
  return {
    topic,
    partition,
    offset: message.offset,
    key: message.key?.toString() ?? '',
    value: message.value,
    headers: textOf(message.headers),
    readAt: performance.now(),
  };
}

function textOf(headers: IHeaders = {}): Headers {
  const text: Headers = {};
  for (const [name, value] of Object.entries(headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    // Kafka allows null.
    if (first) text[name] = first.toString();
  }
  return text;
}
