import { Body, Controller, Post } from '@nestjs/common';
import { Public } from '#libs/auth';
import type { TokenIntrospection } from '#libs/contracts';
import { Feature, Operation } from '#libs/http';
import { introspection, type ValidateInput, validateInput } from './validation.schemas.js';
import { ValidationService } from './validation.service.js';

@Feature('auth', 'Sessions and tokens')
@Controller('auth')
export class ValidationController {
  constructor(private readonly validation: ValidationService) {}

  @Post('validate')
  @Public()
  @Operation({
    summary: 'Check an access token',
    description: 'What is no token at all is inactive, not an error (RFC 7662).',
    returns: introspection,
  })
  validateToken(@Body({ schema: validateInput }) { token }: ValidateInput): Promise<TokenIntrospection> {
    return this.validation.validate(token);
  }
}
