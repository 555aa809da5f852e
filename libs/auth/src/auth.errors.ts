import { defineProblem } from '#libs/http';

export const tokenMissing = defineProblem({
  status: 401,
  code: 'token-missing',
  detail: 'An access token is needed: send the header Authorization: Bearer <token>.',
});

export const tokenExpired = defineProblem({
  status: 401,
  code: 'token-expired',
  detail: 'The access token has expired; get a new one.',
});

export const tokenInvalid = defineProblem({
  status: 401,
  code: 'token-invalid',
  detail: 'The access token is not valid here.',
});

export const tokenRevoked = defineProblem({
  status: 401,
  code: 'token-revoked',
  detail: 'The session of this token has ended; log in again.',
});

export const roleMissing = defineProblem({
  status: 403,
  code: 'role-missing',
  detail: (role: string) => `This needs the role ${role}.`,
  description: 'This needs a role that the account does not have.',
});

export const scopeMissing = defineProblem({
  status: 403,
  code: 'scope-missing',
  detail: (scope: string) => `The access token has not the scope ${scope}.`,
  description: 'The access token has not the scope of this API.',
});
