import { defineProblem } from '#libs/http';

export const accountUnknown = defineProblem({
  status: 401,
  code: 'account-unknown',
  detail: 'The account of this token does not exist any more; register or log in again.',
});
