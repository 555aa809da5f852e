import { Problem } from '#libs/http';
import { violatedConstraint } from '#libs/service';

const emailTaken = () => new Problem(409, 'email-taken', 'An account with this e-mail address exists; log in instead.');
const idTaken = () => new Problem(409, 'user-id-taken', 'An account has this id; choose a new UUIDv7 or leave it out.');

export const userNotFound = () => new Problem(404, 'user-not-found', 'There is no such account.');

/** What a violated constraint of the table users means to the client; any other error stays as it is. */
export function conflictOr(error: unknown): unknown {
  const constraint = violatedConstraint(error);
  if (constraint === 'users_email') return emailTaken();
  return constraint === 'users_pkey' ? idTaken() : error;
}
