import { types } from 'node:util';

/** The properties of an error that are logged: none of them contains user input. */
const FIELDS = ['code', 'severity', 'schema', 'table', 'column', 'constraint', 'routine', 'status', 'statusCode'];

/**
 * What is logged of an error: type, message, stack, the fields above, causes. Libraries attach more to their
 * errors: TypeORM the values of the statement, pg the conflicting row.
 */
export function serializeError(error: unknown, depth = 4): object {
  // Not instanceof: under Jest, errors of Node's built-in modules belong to another realm.
  if (!types.isNativeError(error)) return { type: typeof error };
  const own = error as unknown as Record<string, unknown>;
  const fields = FIELDS.filter((name) => ['string', 'number'].includes(typeof own[name]));
  const causes = depth === 0 ? [] : [own.cause, ...(Array.isArray(own.errors) ? own.errors : [])];
  return {
    type: error.name,
    message: messageOf(error),
    stack: error.stack
      ?.split('\n')
      .filter((line) => /^ {4}at /.test(line))
      .join('\n'),
    ...Object.fromEntries(fields.map((name) => [name, own[name]])),
    causes: causes.filter(types.isNativeError).map((cause) => serializeError(cause, depth - 1)),
  };
}

/** The message of `error`, unless it quotes a value that PostgreSQL could not parse (SQLSTATE class 22). */
export function messageOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code) ? `a value was refused (${code})` : error.message;
}
