import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { ValidationModule } from '../validation/validation.module.js';
import { UsersGrpcController } from './users.controller.js';

@Module({ imports: [AccountsModule, ValidationModule], controllers: [UsersGrpcController] })
export class GrpcModule {}
