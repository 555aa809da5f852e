import { Problem } from '#libs/http';

/** Also for a list of somebody else: who may not see it does not learn that it exists. */
export const listNotFound = () => new Problem(404, 'list-not-found', 'There is no such list among yours.');

export const listNameTaken = (name: string) =>
  new Problem(409, 'list-name-taken', `You have a list named "${name}" already.`, {
    errors: [{ path: 'name', message: 'is taken' }],
  });

export const listIdTaken = () =>
  new Problem(409, 'list-id-taken', 'This id belongs to another list; choose a new UUIDv7 or leave it out.', {
    errors: [{ path: 'id', message: 'is taken' }],
  });
