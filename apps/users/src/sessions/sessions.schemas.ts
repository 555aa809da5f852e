import { z } from 'zod';
import { emailAddress } from '../accounts/accounts.schemas.js';

export const loginInput = z
  .strictObject({
    email: emailAddress,
    password: z.string().min(1, 'must not be empty').max(1024).meta({ format: 'password' }),
  })
  .meta({ id: 'Login', example: { email: 'ada@example.com', password: 'correct horse battery' } });
export type LoginInput = z.infer<typeof loginInput>;

export const refreshInput = z
  .strictObject({ refreshToken: z.string().min(1).max(1024) })
  .meta({ id: 'Refresh', example: { refreshToken: 'AZmNL2weezqfAFobLD1OXw.0.c2lnbmF0dXJl' } });
export type RefreshInput = z.infer<typeof refreshInput>;

/** As in RFC 6749 §5.1. */
export const tokens = z
  .object({
    accessToken: z.string().describe('For the header Authorization: Bearer'),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().describe('Seconds that the access token lives'),
    refreshToken: z.string().describe('For POST /auth/refresh, once'),
  })
  .meta({
    id: 'Tokens',
    description: 'What a session is used and prolonged with',
    example: {
      accessToken: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl',
      tokenType: 'Bearer',
      expiresIn: 300,
      refreshToken: 'AZmNL2weezqfAFobLD1OXw.0.c2lnbmF0dXJl',
    },
  });
export type Tokens = z.infer<typeof tokens>;
