import { describe, expect, it } from '@jest/globals';
import { attributesOf, eventHeaders, jsonOf, received, Unusable, uuidv7 } from './cloud-event.js';

describe('a message as it is read', () => {
  it('has text for headers, whatever a foreign producer sent', () => {
    const headers = { text: Buffer.from('é'), many: [Buffer.from('first'), 'second'], none: null, absent: undefined };
    const message = { key: null, value: null, offset: '5', headers } as unknown as Parameters<typeof received>[2];
    expect(received('topic', 1, message)).toMatchObject({
      topic: 'topic',
      partition: 1,
      offset: '5',
      key: '',
      value: null,
      headers: { text: 'é', many: 'first' },
    });
    expect(received('topic', 1, { ...message, headers: undefined } as never).headers).toEqual({});
  });
});

describe('the attributes of an event', () => {
  const sound = eventHeaders('number.drawn', '/tests');

  it('survive the headers', () => {
    expect(attributesOf(sound)).toEqual({
      id: sound.ce_id,
      type: 'number.drawn',
      source: '/tests',
      time: new Date(sound.ce_time!),
    });
  });

  it.each(['ce_id', 'ce_type', 'ce_source'])('cannot do without %s', (name) => {
    expect(() => attributesOf({ ...sound, [name]: '' })).toThrow(Unusable);
  });

  it('do not fail for a time that is none, but for an id that fits no index', () => {
    const before = Date.now();
    expect(attributesOf({ ...sound, ce_time: 'yesterday' }).time.getTime()).toBeGreaterThanOrEqual(before);
    expect(() => attributesOf({ ...sound, ce_id: 'x'.repeat(201) })).toThrow(Unusable);
  });
});

describe('a UUIDv7', () => {
  it('has version and variant of RFC 9562, and sorts by time', () => {
    const ids = [1_000, 1_700_000_000_000, 1_700_000_000_001, 4_000_000_000_000].map((time) => uuidv7(time));
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ids.toSorted()).toEqual(ids);
    expect(uuidv7(0x017f22e279b0).slice(0, 13)).toBe('017f22e2-79b0');
    expect(uuidv7()).not.toBe(uuidv7());
  });
});

describe('a value', () => {
  it('is JSON, or null for a tombstone, or of no use', () => {
    expect(jsonOf(Buffer.from('{"a":[1]}'))).toEqual({ a: [1] });
    expect(jsonOf(null)).toBeNull();
    expect(() => jsonOf(Buffer.from('{'))).toThrow(Unusable);
  });
});
