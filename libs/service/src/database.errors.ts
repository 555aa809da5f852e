import { types } from 'node:util';

const stateCodes = /^(08|53|57P|25006|57014)/;
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

// pg reports some lost connections without a code. TypeORM releases the query runner of a connection that is lost
// within a transaction, and then refuses the next query on it.
const lostConnection =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|not queryable|Cannot use a pool after|Driver not Connected|query runner (was )?already released/i;

/**
 * Whether `error` means that the database is unreachable or cannot serve now, so that the same call may work later:
 * network errors and SQLSTATE classes 08 (connection), 57P (shutdown, starting up), 53 (no resources), 25006 (a replica), and
 * 57014, a statement that was cancelled because it took too long.
 * https://www.postgresql.org/docs/18/errcodes-appendix.html
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  // Not instanceof: under Jest, errors of Node's built-in modules belong to another realm.
  if (!types.isNativeError(error)) return false;
  const { errors } = error as { errors?: unknown };
  if (Array.isArray(errors)) return errors.some(isDatabaseUnavailable);
  const driverError = (error as { driverError?: unknown }).driverError;
  if (driverError && driverError !== error) return isDatabaseUnavailable(driverError);
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') return networkCodes.has(code) || stateCodes.test(code);
  return lostConnection.test(error.message);
}

/** The name of the constraint, unique (SQLSTATE 23505) or foreign key (23503), that `error` violates, or undefined. */
export function violatedConstraint(error: unknown): string | undefined {
  const cause = ((error as { driverError?: unknown }).driverError ?? error) as { code?: string; constraint?: string };
  return cause.code === '23505' || cause.code === '23503' ? cause.constraint : undefined;
}
