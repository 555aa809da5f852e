import { Module } from '@nestjs/common';
import { Revoker } from './revoker.service.js';

@Module({ providers: [Revoker], exports: [Revoker] })
export class RevocationModule {}
