import { z } from 'zod';
import { authValidate, tokenIntrospection } from '#libs/contracts';

/** Any text is accepted: what is no token is inactive, not an error (RFC 7662 §2.2). */
export const validateInput = z
  .strictObject({ token: z.string().describe('An access token') })
  .meta({ id: 'ValidateToken', example: authValidate.example.request });
export type ValidateInput = z.infer<typeof validateInput>;

export const introspection = tokenIntrospection.meta({
  id: 'TokenIntrospection',
  description: 'Whether the token is good, and what it says; of an inactive one nothing more (RFC 7662)',
  example: authValidate.example.reply,
});
