import { Module } from '@nestjs/common';
import { AnswerOnAuthValidate } from './answer.on-auth-validate.js';
import { ValidationController } from './validation.controller.js';
import { ValidationService } from './validation.service.js';

@Module({
  controllers: [ValidationController, AnswerOnAuthValidate],
  providers: [ValidationService],
  exports: [ValidationService],
})
export class ValidationModule {}
