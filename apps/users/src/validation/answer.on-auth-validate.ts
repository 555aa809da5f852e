import { Controller } from '@nestjs/common';
import { authValidate, type TokenIntrospection, type ValidateRequest } from '#libs/contracts';
import { OnRequest } from '#libs/messaging';
import { ValidationService } from './validation.service.js';

@Controller()
export class AnswerOnAuthValidate {
  constructor(private readonly validation: ValidationService) {}

  @OnRequest(authValidate)
  handle({ token }: ValidateRequest): Promise<TokenIntrospection> {
    return this.validation.validate(token);
  }
}
