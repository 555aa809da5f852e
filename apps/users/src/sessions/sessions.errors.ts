import { defineProblem } from '#libs/http';

/** The same for an unknown e-mail address and a wrong password. */
export const invalidCredentials = defineProblem({
  status: 401,
  code: 'invalid-credentials',
  detail: 'The e-mail address or the password is wrong.',
});

/** Malformed, forged, expired, or of a session that has ended. */
export const refreshTokenInvalid = defineProblem({
  status: 401,
  code: 'refresh-token-invalid',
  detail: 'The refresh token is not valid; log in again.',
});

export const refreshTokenReused = defineProblem({
  status: 401,
  code: 'refresh-token-reused',
  detail: 'This refresh token was used before; the session was ended. Log in again.',
});
