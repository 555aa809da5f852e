import { z } from 'zod';
import type { RequestDefinition } from './event.js';

/** The answer about a token, in the shape of RFC 7662 §2.2: nothing is said about an inactive token. */
export const tokenIntrospection = z.object({
  active: z.boolean(),
  sub: z.uuid().optional(),
  sid: z.uuid().optional(),
  exp: z.number().int().optional(),
  iat: z.number().int().optional(),
  iss: z.string().optional(),
  aud: z.string().optional(),
  scope: z.string().optional(),
  token_type: z.literal('Bearer').optional(),
});
export type TokenIntrospection = z.infer<typeof tokenIntrospection>;

const validateRequest = z.object({ token: z.string().min(1).max(4096) });
export type ValidateRequest = z.infer<typeof validateRequest>;

/** For callers that speak only the broker. Requests wait in the topic for an hour while users is down. */
export const authValidate: RequestDefinition<ValidateRequest, TokenIntrospection> = {
  name: 'auth.validate',
  description: 'Is this access token valid, and whose is it?',
  topic: 'auth.validate.request',
  request: validateRequest,
  reply: tokenIntrospection,
  example: {
    request: { token: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl' },
    reply: {
      active: true,
      sub: '01998d2f-6c1e-7b3a-9f00-5a1b2c3d4e5f',
      sid: '01998d30-0000-7000-8000-000000000001',
      exp: 1793523900,
      iat: 1793523600,
      scope: 'tasklane',
      token_type: 'Bearer',
    },
  },
};
