import { defineProblem } from '#libs/http';

const ANEW =
  'Start anew: ask for the changes without a token, then for all lists and items, then since the token that you got.';

export const changeTokenUnknown = defineProblem({
  status: 400,
  code: 'change-token-unknown',
  detail: `The token is not from your change log as it is now. ${ANEW}`,
});

export const changeTokenExpired = defineProblem({
  status: 410,
  code: 'change-token-expired',
  detail: `The changes that followed the token are no longer kept. ${ANEW}`,
});
