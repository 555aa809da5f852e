import { Module } from '@nestjs/common';
import { KeysModule } from '../keys/keys.module.js';
import { Attempts } from './attempts.service.js';
import { Devices } from './devices.service.js';
import { Limits } from './limits.service.js';
import { Mails } from './mails.service.js';
import { Turns } from './turns.service.js';

@Module({
  imports: [KeysModule],
  providers: [Attempts, Devices, Limits, Mails, Turns],
  exports: [Attempts, Devices, Mails, Turns],
})
export class ThrottleModule {}
