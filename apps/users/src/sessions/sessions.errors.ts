import { Problem } from '#libs/http';

/** The same for an unknown e-mail address and a wrong password. */
export const invalidCredentials = () =>
  new Problem(401, 'invalid-credentials', 'The e-mail address or the password is wrong.');

/** Malformed, made elsewhere, expired, or of a session that has ended. */
export const refreshTokenInvalid = () =>
  new Problem(401, 'refresh-token-invalid', 'The refresh token is not valid; log in again.');

export const refreshTokenReused = () =>
  new Problem(401, 'refresh-token-reused', 'This refresh token was used before; the session was ended. Log in again.');
