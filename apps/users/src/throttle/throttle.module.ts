import { Module } from '@nestjs/common';
import { KeysModule } from '../keys/keys.module.js';
import { Devices } from './devices.service.js';
import { Turns } from './turns.service.js';

@Module({ imports: [KeysModule], providers: [Devices, Turns], exports: [Devices, Turns] })
export class ThrottleModule {}
