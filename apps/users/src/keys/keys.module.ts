import { Module } from '@nestjs/common';
import { KeysController } from './keys.controller.js';
import { Keys } from './keys.service.js';
import { TokenSecret } from './token-secret.js';

@Module({ controllers: [KeysController], providers: [Keys, TokenSecret], exports: [Keys, TokenSecret] })
export class KeysModule {}
