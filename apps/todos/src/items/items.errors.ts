import { z } from 'zod';
import { defineProblem, errorsMember } from '#libs/http';

/** Also for another user's item. */
export const itemNotFound = defineProblem({
  status: 404,
  code: 'item-not-found',
  detail: 'There is no such item in your lists.',
});

/** `taken` are the names that the list already has, or the request repeats, with their paths in the input. */
export const itemNameTaken = defineProblem({
  status: 409,
  code: 'item-name-taken',
  description: 'The list has an item of this name, or the request has it twice.',
  detail: (taken: { path: string; name: string }[]) =>
    `The list has these names already: ${taken.map(({ name }) => `"${name}"`).join(', ')}.`,
  extra: (taken) => ({
    names: taken.map(({ name }) => name),
    errors: taken.map(({ path, name }) => ({ path, message: `"${name}" is taken` })),
  }),
  members: { ...errorsMember, names: z.array(z.string()).describe('The names that are taken') },
});

export const itemIdTaken = defineProblem({
  status: 409,
  code: 'item-id-taken',
  detail: 'An id belongs to another item; choose a new UUIDv7 or leave it out.',
});

export const tooManyItems = defineProblem({
  status: 400,
  code: 'too-many-items',
  detail: (limit: number) => `At most ${limit} items can be created in one request.`,
  description: 'One request creates at most 100 items.',
});

export const afterNotInList = defineProblem({
  status: 400,
  code: 'after-not-in-list',
  detail: 'The item to move behind is not in the same list.',
  extra: () => ({
    errors: [{ path: 'after', message: 'must be the id of another item of the same list, or null for the top' }],
  }),
  members: errorsMember,
});
