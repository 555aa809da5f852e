import { revokeAll } from './revoke-all.command.js';
import { grantRole, revokeRole } from './roles.command.js';

/** What operators run: `main.js <name> <arguments>`. */
export const commands = { 'grant-role': grantRole, 'revoke-role': revokeRole, 'revoke-all': revokeAll };
