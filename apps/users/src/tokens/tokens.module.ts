import { Module } from '@nestjs/common';
import { KeysModule } from '../keys/keys.module.js';
import { AccessTokens } from './access-tokens.js';
import { RefreshTokens } from './refresh-tokens.js';

@Module({ imports: [KeysModule], providers: [AccessTokens, RefreshTokens], exports: [AccessTokens, RefreshTokens] })
export class TokensModule {}
