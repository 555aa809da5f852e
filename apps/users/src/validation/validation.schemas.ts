import { z } from 'zod';
import { tokenIntrospection } from '#libs/contracts';

/** Any text is a question: what is no token at all is inactive, not an error (RFC 7662 §2.2). */
export const validateInput = z
  .strictObject({ token: z.string().describe('An access token') })
  .meta({ id: 'ValidateToken' });
export type ValidateInput = z.infer<typeof validateInput>;

export const introspection = tokenIntrospection.meta({ id: 'TokenIntrospection' });
