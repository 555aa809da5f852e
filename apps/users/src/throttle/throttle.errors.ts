import { defineProblem } from '#libs/http';

export const tooManyWaiting = defineProblem({
  status: 429,
  code: 'too-many-waiting',
  detail: 'Too many log in or register at this moment, from this network or to this account; try again shortly.',
  retryAfter: 5,
});
