import { defineProblem } from '#libs/http';
import { violatedConstraint } from '#libs/service';

export const emailTaken = defineProblem({
  status: 409,
  code: 'email-taken',
  detail: 'An account with this e-mail address exists; log in instead.',
});

export const userNotFound = defineProblem({ status: 404, code: 'user-not-found', detail: 'There is no such account.' });

/** Translates violated constraints of the table users; other errors are unchanged. */
export function conflictOr(error: unknown): unknown {
  return violatedConstraint(error) === 'users_email' ? emailTaken() : error;
}
