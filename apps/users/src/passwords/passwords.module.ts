import { Module } from '@nestjs/common';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { Passwords } from './passwords.service.js';

@Module({ imports: [ThrottleModule], providers: [Passwords], exports: [Passwords] })
export class PasswordsModule {}
