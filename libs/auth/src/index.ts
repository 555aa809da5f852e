export { Public } from '#libs/http';
export { AuthModule } from './auth.module.js';
export { type AuthConfig, authSettings } from './auth.settings.js';
export { KEY_SOURCE, type KeySource, RemoteKeys } from './key-source.js';
export { Revocations } from './revocations.js';
export { CurrentUser, RequiresRole } from './token.guard.js';
export { type TokenUser, VerifiedTokens } from './verified-tokens.js';
