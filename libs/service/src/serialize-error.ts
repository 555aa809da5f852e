import { types } from 'node:util';

/** Which of an error's own properties are logged: none of them holds what somebody typed. */
const FIELDS = ['code', 'severity', 'schema', 'table', 'column', 'constraint', 'routine', 'status', 'statusCode'];

/**
 * What a line of the log says of an error: type, message, stack, the fields above, causes. Libraries hang more on their
 * errors: TypeORM the values of the statement, pg the row that is in the way.
 */
export function serializeError(error: unknown, depth = 4): object {
  // Not instanceof: under Jest the errors of Node's own modules are of another realm.
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

/** The message of `error`, unless PostgreSQL put into it what it could not read as a value (SQLSTATE class 22). */
export function messageOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code) ? `a value was refused (${code})` : error.message;
}
