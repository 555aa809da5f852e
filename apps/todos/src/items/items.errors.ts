import { Problem } from '#libs/http';

/** Also for an item of somebody else. */
export const itemNotFound = () => new Problem(404, 'item-not-found', 'There is no such item in your lists.');

/** @param taken the names that are in the list already, or twice in the request, with their places in the input. */
export const itemNameTaken = (taken: { path: string; name: string }[]) =>
  new Problem(
    409,
    'item-name-taken',
    `The list has these names already: ${taken.map(({ name }) => `"${name}"`).join(', ')}.`,
    {
      names: taken.map(({ name }) => name),
      errors: taken.map(({ path, name }) => ({ path, message: `"${name}" is taken` })),
    },
  );

export const itemIdTaken = () =>
  new Problem(409, 'item-id-taken', 'An id belongs to another item; choose a new UUIDv7 or leave it out.');

export const tooManyItems = (limit: number) =>
  new Problem(400, 'too-many-items', `At most ${limit} items can be created in one request.`);

export const afterNotInList = () =>
  new Problem(400, 'after-not-in-list', 'The item to move behind is not in the same list.', {
    errors: [{ path: 'after', message: 'must be the id of another item of the same list, or null for the top' }],
  });
