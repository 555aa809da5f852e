import { describe, expect, it } from '@jest/globals';
import type { EventDefinition } from '#libs/contracts';
import { z } from 'zod';
import { doubleOf, numberDrawn, numberRaised, testEvents } from '../../test/test-events.js';
import { type Headers, type Received, Unusable } from '../kafka/cloud-event.js';
import { FAILURE, Routes } from './routes.js';
import { TopicNames } from '../kafka/topics.js';

const names = new TopicNames('p', 'g', 3, ['ours.']);
const double = doubleOf('p');
const handler = async () => undefined;

function routes(events: EventDefinition[] = testEvents): Routes {
  return new Routes(names, events, [double]);
}

function message(topic: string, data: unknown, headers: Headers = {}): Received {
  const value = Buffer.from(typeof data === 'string' ? data : JSON.stringify(data));
  return { topic, partition: 0, offset: '3', key: 'k', value, headers, readAt: 0 };
}

const event = (type: string, headers: Headers = {}): Headers => ({
  ce_id: 'id-1',
  ce_type: type,
  ce_source: '/tests',
  ce_time: '2026-11-01T10:00:00.000Z',
  ...headers,
});

describe('what a message is for', () => {
  it('is told by its type: all handlers, its data, its attributes', () => {
    const table = routes();
    table.addEvent(numberDrawn.type, handler, {});
    table.addEvent(numberDrawn.type, handler, { ordered: true });
    expect(table.topics).toEqual(['p.numbers']);
    expect(table.find(message('p.numbers', { key: 'a', n: 1 }, event(numberDrawn.type)))).toMatchObject({
      inboxId: '/tests id-1',
      data: { key: 'a', n: 1 },
      attempt: 1,
      ordered: true,
      handlers: [handler, handler],
      attributes: { type: 'number.drawn', source: '/tests', time: new Date('2026-11-01T10:00:00Z') },
    });
    expect(table.find(message('p.numbers', {}, event(numberRaised.type)))).toBeUndefined();
  });

  it('has lost its order in a retry topic, and remembers its attempts', () => {
    const table = routes();
    table.addEvent(numberDrawn.type, handler, { ordered: true });
    const headers = event(numberDrawn.type, { [FAILURE.topic]: 'p.numbers', [FAILURE.attempt]: '2' });
    expect(table.find(message('p.g.retry-2', { key: 'a', n: 1 }, headers))).toMatchObject({
      ordered: false,
      attempt: 3,
    });
  });

  it('is not told by its type where another topic has that type', () => {
    const table = routes();
    table.addEvent(numberDrawn.type, handler, {});
    const find = (topic: string, headers: Headers = {}) =>
      table.find(table.admit(message(topic, { key: 'a', n: 1 }, event(numberDrawn.type, headers))));
    expect(() => find('p.notices')).toThrow('does not belong in the topic p.notices');
    expect(() => find('p.notices', { [FAILURE.topic]: 'p.numbers' })).toThrow('does not belong in the topic p.notices');
    expect(() => find('p.g.retry-1', { [FAILURE.topic]: 'p.notices' })).toThrow(
      'does not belong in the topic p.notices',
    );
    expect(find('p.g.retry-1', { [FAILURE.topic]: 'p.numbers' })).toBeDefined();
  });

  it('is known by its source and id together', () => {
    const table = routes();
    table.addEvent(numberDrawn.type, handler, {});
    const inboxId = (ce_source: string) =>
      table.find(message('p.numbers', { key: 'a', n: 1 }, event(numberDrawn.type, { ce_source })))?.inboxId;
    expect(inboxId('/a')).not.toBe(inboxId('/b'));
    for (const source of ['/a b', 'x'.repeat(201)]) expect(() => inboxId(source)).toThrow(Unusable);
  });

  it('believes what is said of failures only in retry topics of its own group', () => {
    const table = routes();
    const claims = Object.fromEntries(Object.values(FAILURE).map((name) => [name, '9']));
    const admitted = (topic: string) => table.admit(message(topic, {}, event(numberDrawn.type, claims))).headers;
    for (const topic of ['p.numbers', 'p.h.retry-1', 'p.g.retry-1.x', double.topic]) {
      expect(admitted(topic)).toEqual(event(numberDrawn.type));
    }
    // Of a stage, too, that the settings do not have any more.
    for (const topic of ['p.g.retry-1', 'p.g.retry-9']) expect(admitted(topic)).toMatchObject(claims);
  });

  it('is nothing that the contracts do not know', () => {
    expect(() => routes().addEvent('number.invented', handler, {})).toThrow('no such event in libs/contracts');
    expect(() => routes().addRequest('number.halve', handler)).toThrow('no such request in libs/contracts');
  });

  it.each([
    ['a field that is missing', { key: 'a' }],
    ['a field of another type', { key: 'a', n: '1' }],
    ['no JSON', '{'],
  ])('cannot be said with %s', (_fault, data) => {
    const table = routes();
    table.addEvent(numberDrawn.type, handler, {});
    expect(() => table.find(message('p.numbers', data, event(numberDrawn.type)))).toThrow(Unusable);
  });
});

describe('two versions of a schema', () => {
  const newer: EventDefinition = {
    ...numberDrawn,
    schema: z.object({ key: z.string(), n: z.number().int(), colour: z.string().optional() }),
  };
  const find = (definition: EventDefinition, data: unknown) => {
    const table = routes([definition]);
    table.addEvent(definition.type, handler, {});
    return table.find(message('p.numbers', data, event(definition.type)))?.data;
  };

  it('understand each other while schemas only grow', () => {
    expect(find(numberDrawn as EventDefinition, { key: 'a', n: 1, colour: 'red' })).toEqual({ key: 'a', n: 1 });
    expect(find(newer, { key: 'a', n: 1 })).toEqual({ key: 'a', n: 1 });
    expect(find(newer, { key: 'a', n: 1, colour: 'red' })).toEqual({ key: 'a', n: 1, colour: 'red' });
  });
});

describe('a request', () => {
  const table = routes();
  table.addRequest(double.name, handler);
  const headers = { 'reply-topic': 'p.somebody.replies', 'correlation-id': 'c-1' };
  const inboxId = (given: Headers, topic = double.topic) =>
    table.find(message(topic, { n: 1 }, { ...headers, ...given }))?.inboxId;

  it('is known by its ce_id or its place, wherever it is retried, and never mistaken for an event', () => {
    expect(inboxId({ ce_id: 'id-1' })).toMatch(/^p-number\.double\.request#[\w-]{43}$/);
    expect(inboxId({ ce_id: 'id-1' })).toBe(inboxId({ ce_id: 'id-1' }));
    const place = inboxId({});
    const retried = { [FAILURE.topic]: double.topic, [FAILURE.partition]: '0', [FAILURE.offset]: '3' };
    expect(inboxId(retried, 'p.g.retry-1')).toBe(place);
  });

  it('is not taken for that of another: not of another source, with the same long beginning, or in a topic made anew', () => {
    const long = 'x'.repeat(500);
    const others: Headers[] = [
      { ce_id: 'id', ce_source: '/a' },
      { ce_id: 'id', ce_source: '/b' },
      { ce_id: `${long}1` },
      { ce_id: `${long}2` },
      { 'correlation-id': 'c-1' },
      { 'correlation-id': 'c-2' },
    ];
    expect(new Set(others.map((given) => inboxId(given))).size).toBe(others.length);
  });

  it.each([['p.users'], ['p.g.dead'], ['elsewhere'], ['has space'], [''], [`ours.${'x'.repeat(245)}`]])(
    'gets no reply into %j',
    (topic) => {
      expect(() => table.find(message(double.topic, { n: 1 }, { ...headers, 'reply-topic': topic }))).toThrow(Unusable);
    },
  );

  it('gets one into a reply topic of this system or where a setting allows it', () => {
    for (const topic of ['p.todos.replies', 'ours.anywhere']) {
      expect(table.find(message(double.topic, { n: 1 }, { ...headers, 'reply-topic': topic }))?.reply).toMatchObject({
        topic,
      });
    }
  });

  it('expires 5 s after its deadline, for clocks differ, or an hour after it was read', () => {
    const expiry = (given: Headers) =>
      table.find(message(double.topic, { n: 1 }, { ...headers, ...given }))!.reply!.expiresAt;
    expect(expiry({ deadline: '2026-11-26T10:00:00.000Z' })).toBe(Date.parse('2026-11-26T10:00:05.000Z'));
    expect(expiry({})).toBeGreaterThan(Date.now() + 3_590_000);
    expect(() => expiry({ deadline: 'soon' })).toThrow(Unusable);
  });
});
