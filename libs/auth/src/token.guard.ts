import { applyDecorators, createParamDecorator, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { declaresProblems, PUBLIC } from '#libs/http';
import { roleMissing, scopeMissing, tokenExpired, tokenInvalid, tokenMissing, tokenRevoked } from './auth.errors.js';
import { Revocations } from './revocations.js';
import { bearerToken, refusal } from './token.strategy.js';
import { type TokenUser, VerifiedTokens } from './verified-tokens.js';

type Authenticated = FastifyRequest & { user: TokenUser };

const ROLE = Symbol('role');

/** What a route's decorators say. */
interface Rule {
  isPublic: boolean;
  role: string | undefined;
}

const needsToken = declaresProblems('token', [tokenMissing, tokenExpired, tokenInvalid, tokenRevoked, scopeMissing]);

/** Keeps a route to tokens that carry this role. */
export const RequiresRole = (role: string): MethodDecorator =>
  applyDecorators(SetMetadata(ROLE, role), needsToken, declaresProblems('role', [roleMissing]));

const userOf = (_data: unknown, context: ExecutionContext): TokenUser =>
  context.switchToHttp().getRequest<Authenticated>().user;

/** Who is calling. */
export const CurrentUser = createParamDecorator(userOf, [needsToken]);

/** Stands before every route: a token is needed unless the route is `@Public()`. */
@Injectable()
export class TokenGuard extends AuthGuard('access-token') {
  private readonly rules = new Map<Function, Map<Function, Rule>>();

  constructor(
    private readonly reflector: Reflector,
    private readonly verified: VerifiedTokens,
    private readonly revocations: Revocations,
  ) {
    super();
  }

  // Synchronous for a token seen before: this is the hot path of every request.
  override canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { isPublic, role } = this.ruleOf(context);
    if (isPublic) return true;
    const request = context.switchToHttp().getRequest<Authenticated>();
    const token = bearerToken(request);
    if (token === undefined) throw tokenMissing();
    const known = this.verified.get(token);
    if (known === undefined) return this.verify(context, request, role);
    request.user = known;
    return this.admit(known, role);
  }

  override handleRequest<T>(error: unknown, user: T | false, info: unknown): T {
    if (error) throw error;
    if (user) return user;
    throw refusal(info);
  }

  private ruleOf(context: ExecutionContext): Rule {
    const targets = [context.getHandler(), context.getClass()] as const;
    const ofClass = this.rules.get(targets[1]) ?? new Map<Function, Rule>();
    const known = ofClass.get(targets[0]);
    if (known !== undefined) return known;
    const rule = {
      isPublic: this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, [...targets]) ?? false,
      role: this.reflector.getAllAndOverride<string | undefined>(ROLE, [...targets]),
    };
    this.rules.set(targets[1], ofClass.set(targets[0], rule));
    return rule;
  }

  private async verify(context: ExecutionContext, request: Authenticated, role: string | undefined): Promise<boolean> {
    await super.canActivate(context);
    return this.admit(request.user, role);
  }

  private admit(user: TokenUser, role: string | undefined): boolean {
    if (this.revocations.has(user.sessionId)) throw tokenRevoked();
    if (role !== undefined && !user.roles.includes(role)) throw roleMissing(role);
    return true;
  }
}
