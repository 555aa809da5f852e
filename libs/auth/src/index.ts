export { Public } from '#libs/http';
export { AuthModule } from './auth.module.js';
export { type VerificationKey, verificationKeys } from './jwks.js';
export { KEY_SOURCE, KeyCache, type KeySource } from './key-cache.js';
export { Revocations } from './revocations.js';
export * from './setup.js';
export { CurrentUser, RequiresRole } from './token.guard.js';
export { TokenStrategy } from './token.strategy.js';
export type { TokenUser } from './verified-tokens.js';
