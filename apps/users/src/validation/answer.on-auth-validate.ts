import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { authValidate, type TokenIntrospection, type ValidateRequest } from '#libs/contracts';
import { ValidationService } from './validation.service.js';

@Controller()
export class AnswerOnAuthValidate {
  constructor(private readonly validation: ValidationService) {}

  @MessagePattern<string>(authValidate.name)
  handle(@Payload() { token }: ValidateRequest): Promise<TokenIntrospection> {
    return this.validation.validate(token);
  }
}
