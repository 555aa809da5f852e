import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '#libs/auth';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { jwks, openIdConfiguration } from './keys.schemas.js';
import { Keys } from './keys.service.js';

/** Shorter than the time for which a key is published before it signs, so that no verifier meets an unknown key. */
const CACHE = 'public, max-age=300';

@ApiTags('keys')
@Public()
@Controller('.well-known')
export class KeysController {
  constructor(
    private readonly keys: Keys,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('jwks.json')
  @Header('Cache-Control', CACHE)
  @ApiResponse({ status: 200, standardSchema: jwks })
  getJwks() {
    return this.keys.jwks();
  }

  @Get('openid-configuration')
  @Header('Cache-Control', CACHE)
  @ApiResponse({ status: 200, standardSchema: openIdConfiguration })
  getOpenIdConfiguration() {
    return {
      issuer: this.config.TOKEN_ISSUER,
      jwks_uri: `${this.config.PUBLIC_URL}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ['ES256'],
    };
  }
}
