import type { EventDefinition, RequestDefinition, Topic } from '#libs/contracts';
import { z } from 'zod';

// Events for tests only: small, and one of every kind that the library treats differently.

const numbersTopic: Topic = { name: 'numbers', cleanup: 'delete', retention: 3_600_000 };
const noticesTopic: Topic = { name: 'notices', cleanup: 'delete', retention: 3_600_000 };

const number = z.object({ key: z.string(), n: z.number().int() });
export type TestNumber = z.infer<typeof number>;

/** Handled without order. */
export const numberDrawn: EventDefinition<TestNumber> = {
  type: 'number.drawn',
  description: 'A number was drawn.',
  topic: numbersTopic,
  schema: number,
  example: { key: 'a', n: 1 },
};

/** Handled in order. */
export const numberRaised: EventDefinition<TestNumber> = {
  ...numberDrawn,
  type: 'number.raised',
  description: 'A number grew.',
};

/** Nobody handles it. */
export const numberForgotten: EventDefinition<TestNumber> = {
  ...numberDrawn,
  type: 'number.forgotten',
  description: 'A number is of no interest.',
};

/** Every replica handles it. */
export const noticeGiven: EventDefinition<{ text: string }> = {
  type: 'notice.given',
  description: 'Everybody should know.',
  topic: noticesTopic,
  schema: z.object({ text: z.string() }),
  example: { text: 'hello' },
};

/** A tombstone: the value is null. */
export const numberErased: EventDefinition<null> = {
  type: 'number.erased',
  description: 'A number is gone.',
  topic: numbersTopic,
  schema: z.null(),
  example: null,
};

export const testEvents = [numberDrawn, numberRaised, numberForgotten, numberErased, noticeGiven] as EventDefinition[];

/** Requests go to a topic without prefix, so each suite needs one of its own. */
export const doubleOf = (prefix: string): RequestDefinition<{ n: number }, { doubled: number }> => ({
  name: 'number.double',
  description: 'What is twice this number?',
  topic: `${prefix}-number.double.request`,
  request: z.object({ n: z.number() }),
  reply: z.object({ doubled: z.number() }),
  example: { request: { n: 1 }, reply: { doubled: 2 } },
});
