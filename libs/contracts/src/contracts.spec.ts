import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { events, requests } from './index.js';

const examples = new URL('../examples/', import.meta.url).pathname;
const versions = readdirSync(examples).toSorted((a, b) => Number(a) - Number(b));
const published = versions.flatMap((version) =>
  readdirSync(join(examples, version)).map((file) => ({ version, type: file.replace('.json', '') })),
);
const read = (version: string, type: string): unknown =>
  JSON.parse(readFileSync(join(examples, version, `${type}.json`), 'utf8'));

describe('contracts', () => {
  it.each(events)('$type: its example fits its schema', ({ schema, example }) => {
    expect(schema.parse(example)).toEqual(example);
  });

  it.each(requests)('$name: its example fits its schemas', ({ request, reply, example }) => {
    expect(request.parse(example.request)).toEqual(example.request);
    expect(reply.parse(example.reply)).toEqual(example.reply);
  });

  // Schemas only grow: what an older version published must still be readable, field by field.
  it.each(published)('$type as published in version $version is still understood', ({ version, type }) => {
    const definition = events.find((event) => event.type === type);
    expect(definition).toBeDefined();
    const data = read(version, type);
    const parsed = definition!.schema.parse(data);
    if (data === null) expect(parsed).toBeNull();
    else expect(parsed).toMatchObject(data as object);
  });

  it.each(events)('$type: the present example is published', ({ type, example }) => {
    expect(read(versions.at(-1)!, type)).toEqual(example);
  });

  it('finds every event and request of the topic files', () => {
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['user.erased', 'item.completed']));
    expect(events).toHaveLength(published.filter(({ version }) => version === versions.at(-1)).length);
    expect(requests.map(({ name }) => name)).toEqual(['auth.validate']);
  });

  it('no two events share a type', () => {
    expect(new Set(events.map(({ type }) => type)).size).toBe(events.length);
  });
});
