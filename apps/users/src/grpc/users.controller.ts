import { Controller, UseFilters, UseGuards } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { TokenIntrospection } from '#libs/contracts';
import { idParam, invalidInput } from '#libs/http';
import type { z } from 'zod';
import { emailAddress, type UserView } from '../accounts/accounts.schemas.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { ValidationService } from '../validation/validation.service.js';
import { GrpcCallers } from './grpc-callers.guard.js';
import { GrpcErrors } from './grpc-errors.filter.js';

/** `users.v1.Users`, for the other services: see users.proto. */
@Controller()
@UseFilters(GrpcErrors)
@UseGuards(GrpcCallers)
export class UsersGrpcController {
  constructor(
    private readonly validation: ValidationService,
    private readonly accounts: AccountsService,
  ) {}

  @GrpcMethod('Users', 'ValidateToken')
  validateToken({ token }: { token: string }): Promise<TokenIntrospection> {
    return this.validation.validate(token);
  }

  @GrpcMethod('Users', 'GetUser')
  async getUser({ id }: { id: string }): Promise<UserView> {
    return this.accounts.get(parse(idParam, id));
  }

  @GrpcMethod('Users', 'FindByEmail')
  async findByEmail({ email }: { email: string }): Promise<UserView> {
    return this.accounts.getByEmail(parse(emailAddress, email));
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const { data, error } = schema.safeParse(value);
  if (error) throw invalidInput(error.issues);
  return data;
}
