import { StandardSchemaValidationPipe } from '@nestjs/common';
import { z } from 'zod';
import { invalidInput } from './problems.js';

/**
 * Validates by the schemas of `@Body({ schema })`, `@Query({ schema })` and `@Param('id', { schema })`; `config` is for those that are
 * a ConfiguredSchema.
 */
export const validationPipe = (config: object) =>
  new StandardSchemaValidationPipe({ exceptionFactory: invalidInput, validateOptions: { libraryOptions: config } });

/** An id in a path. Ids are UUIDv7 that a client may have chosen; any well-formed UUID is looked up. */
export const idParam = z.guid('expected a UUID').toLowerCase();

/**
 * An id that a client chooses for what it creates, RFC 9562 version 7, so that ids sort by time and indexes stay compact.
 */
export const chosenId = z.uuidv7('expected a UUID of version 7').toLowerCase();

/** In code points, as PostgreSQL's char_length counts. */
const lengthOf = (value: string) => Array.from(value).length;

/** Controls (C0, C1), line breaks, and bidirectional overrides, which can disguise a name (CVE-2021-42574). */
// eslint-disable-next-line no-control-regex -- they are to be refused
const WITHOUT_CONTROLS = /^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$/;

/** Joiners, variation selectors and fillers: invisible by themselves, but valid within emoji and words. */
const INVISIBLE = /^[\p{Default_Ignorable_Code_Point}\p{White_Space}\u2800]+$/u;

/** Text input: Unicode NFC, no controls, not only invisible characters, trimmed, `min` to `max` code points. */
export const text = (min: number, max: number) =>
  z
    .string()
    .normalize('NFC')
    .trim()
    .regex(WITHOUT_CONTROLS, 'must not contain control characters')
    .refine((value) => !INVISIBLE.test(value), 'must not be invisible')
    // PostgreSQL refuses unpaired surrogates in JSON.
    .refine((value) => value.isWellFormed(), 'must be well-formed Unicode')
    .refine((value) => lengthOf(value) >= min, min === 1 ? 'must not be empty' : `must have at least ${min} characters`)
    .refine((value) => lengthOf(value) <= max, `must have at most ${max} characters`)
    .meta({ minLength: min, maxLength: max });
