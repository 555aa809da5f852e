import { Module } from '@nestjs/common';
import { TokensModule } from '../tokens/tokens.module.js';
import { AnswerOnAuthValidate } from './answer.on-auth-validate.js';
import { ValidationController } from './validation.controller.js';
import { ValidationService } from './validation.service.js';

@Module({
  imports: [TokensModule],
  controllers: [ValidationController, AnswerOnAuthValidate],
  providers: [ValidationService],
  exports: [ValidationService],
})
export class ValidationModule {}
