import { Controller, Get, Inject } from '@nestjs/common';
import { Public } from '#libs/auth';
import { Cached, Feature, Operation, SHARED } from '#libs/http';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { jwks, openIdConfiguration } from './keys.schemas.js';
import { Keys } from './keys.service.js';

@Feature('keys', 'What others check access tokens with')
@Public()
@Controller('.well-known')
export class KeysController {
  constructor(
    private readonly keys: Keys,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('jwks.json')
  @Cached(SHARED)
  @Operation({
    summary: 'Get the public keys',
    description: 'Keys appear here before they sign.',
    returns: jwks,
  })
  getJwks() {
    return this.keys.jwks();
  }

  @Get('openid-configuration')
  @Cached(SHARED)
  @Operation({
    summary: 'Get issuer and address of the keys',
    description: 'For verifiers that find them by OpenID Connect Discovery.',
    returns: openIdConfiguration,
  })
  getOpenIdConfiguration() {
    return {
      issuer: this.config.TOKEN_ISSUER,
      jwks_uri: `${this.config.PUBLIC_URL}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ['ES256'],
    };
  }
}
