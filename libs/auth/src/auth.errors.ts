import { Problem } from '#libs/http';

export const tokenMissing = () =>
  new Problem(401, 'token-missing', 'An access token is needed: send the header Authorization: Bearer <token>.');
export const tokenExpired = () => new Problem(401, 'token-expired', 'The access token has expired; get a new one.');
export const tokenInvalid = () => new Problem(401, 'token-invalid', 'The access token is not valid here.');
export const tokenRevoked = () =>
  new Problem(401, 'token-revoked', 'The session of this token has ended; log in again.');
export const scopeMissing = (scope: string) =>
  new Problem(403, 'scope-missing', `The access token has not the scope ${scope}.`);
export const roleMissing = (role: string) => new Problem(403, 'role-missing', `This needs the role ${role}.`);
