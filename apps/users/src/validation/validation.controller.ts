import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '#libs/auth';
import type { TokenIntrospection } from '#libs/contracts';
import { introspection, type ValidateInput, validateInput } from './validation.schemas.js';
import { ValidationService } from './validation.service.js';

@ApiTags('auth')
@Controller('auth')
export class ValidationController {
  constructor(private readonly validation: ValidationService) {}

  @Post('validate')
  @Public()
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: introspection })
  validateToken(@Body({ schema: validateInput }) { token }: ValidateInput): Promise<TokenIntrospection> {
    return this.validation.validate(token);
  }
}
