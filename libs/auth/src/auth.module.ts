import { type DynamicModule, Global, Module, type Provider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Certificates, CONFIG } from '#libs/service';
import type { AuthConfig } from './auth.settings.js';
import { KEY_SOURCE } from './key-cache.js';
import { remoteKeys } from './remote-keys.js';
import { Revocations } from './revocations.js';
import { RevokeOnSessionRevoked } from './revoke.on-session-revoked.js';
import { TokenGuard } from './token.guard.js';
import { TokenStrategy } from './token.strategy.js';
import { VerifiedTokens } from './verified-tokens.js';

const keysOfIssuer: Provider = {
  provide: KEY_SOURCE,
  inject: [CONFIG],
  useFactory: (config: AuthConfig) => {
    const certificates = new Certificates(config, { ca: 'JWKS_CA_FILE_PATH' });
    return remoteKeys(config.JWKS_URL, () => certificates.current.ca);
  },
};

/** Validates the token of every HTTP request. The service that issues them passes its own `keys` and their module. */
@Global()
@Module({})
export class AuthModule {
  static forRoot(options: { keys?: Provider; imports?: DynamicModule['imports'] } = {}): DynamicModule {
    return {
      module: AuthModule,
      imports: options.imports ?? [],
      controllers: [RevokeOnSessionRevoked],
      providers: [
        options.keys ?? keysOfIssuer,
        VerifiedTokens,
        Revocations,
        TokenStrategy,
        { provide: APP_GUARD, useClass: TokenGuard },
      ],
      exports: [Revocations, TokenStrategy],
    };
  }
}
