import { isUtf8 } from 'node:buffer';
import type { FastifyBodyParser, FastifyInstance } from 'fastify';
import { invalidEncoding, jsonTooDeep } from './problems.js';

/** The deepest nesting of JSON in a body: more than twice what the API needs, and no risk for the stack. */
const DEEPEST = 32;

/** Parses JSON (RFC 8259); refuses invalid UTF-8, `__proto__` and `constructor.prototype`. */
export function parseJson(fastify: FastifyInstance): FastifyBodyParser<Buffer> {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  return (request, bytes, done) => {
    if (!isUtf8(bytes)) return done(invalidEncoding());
    void parse(request, bytes.toString('utf8'), (error, body) => {
      if (error) return done(error);
      return isDeeper(body, DEEPEST) ? done(jsonTooDeep()) : done(null, body);
    });
  };
}

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1)));
