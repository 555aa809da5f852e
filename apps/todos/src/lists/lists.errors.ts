import { defineProblem, errorsMember } from '#libs/http';
import { violatedConstraint } from '#libs/service';

/** Also for another user's list: its existence is not revealed. */
export const listNotFound = defineProblem({
  status: 404,
  code: 'list-not-found',
  detail: 'There is no such list among yours.',
});

export const listNameTaken = defineProblem({
  status: 409,
  code: 'list-name-taken',
  detail: (name: string) => `You have a list named "${name}" already.`,
  description: 'You have a list of this name already.',
  extra: () => ({ errors: [{ path: 'name', message: 'is taken' }] }),
  members: errorsMember,
});

export const listIdTaken = defineProblem({
  status: 409,
  code: 'list-id-taken',
  detail: 'This id belongs to another list; choose a new UUIDv7 or leave it out.',
  extra: () => ({ errors: [{ path: 'id', message: 'is taken' }] }),
  members: errorsMember,
});

/** Translates violated constraints of the table lists; other errors are unchanged. */
export function conflictOr(error: unknown, { name }: { name?: string }): unknown {
  const constraint = violatedConstraint(error);
  if (constraint === 'lists_name') return listNameTaken(name ?? '');
  return constraint === 'lists_pkey' ? listIdTaken() : error;
}
