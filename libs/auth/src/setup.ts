// What the settings of a service are made of: loads no Nest.
export { type AuthConfig, authSettings, OWN_TOKENS } from './auth.settings.js';
