import { Module } from '@nestjs/common';
import { KeysModule } from '../keys/keys.module.js';
import { Devices } from './devices.service.js';
import { MailCounts } from './mail-counts.service.js';
import { Turns } from './turns.service.js';

@Module({ imports: [KeysModule], providers: [Devices, MailCounts, Turns], exports: [Devices, MailCounts, Turns] })
export class ThrottleModule {}
