import { defineProblem } from '#libs/http';

export const tooBusy = defineProblem({
  status: 503,
  code: 'too-busy',
  detail: 'Too many people log in or register at this moment; try again shortly.',
  retryAfter: 2,
});
