import {
  applyDecorators,
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { declaresProblems, PUBLIC } from '#libs/http';
import { roleMissing, scopeMissing, tokenExpired, tokenInvalid, tokenMissing, tokenRevoked } from './auth.errors.js';
import { Revocations } from './revocations.js';
import { TokenStrategy } from './token.strategy.js';
import { type TokenUser, VerifiedTokens } from './verified-tokens.js';

type Authenticated = FastifyRequest & { user: TokenUser };

const ROLE = Symbol('role');

/** From a route's decorators. */
interface Rule {
  isPublic: boolean;
  role: string | undefined;
}

const needsToken = declaresProblems('token', [tokenMissing, tokenExpired, tokenInvalid, tokenRevoked, scopeMissing]);

/** Restricts a route to tokens with this role. */
export const RequiresRole = (role: string): MethodDecorator =>
  applyDecorators(SetMetadata(ROLE, role), needsToken, declaresProblems('role', [roleMissing]));

const userOf = (_data: unknown, context: ExecutionContext): TokenUser =>
  context.switchToHttp().getRequest<Authenticated>().user;

/** Who is calling. */
export const CurrentUser = createParamDecorator(userOf, [needsToken]);

/** Guards every route: a token is required unless the route is `@Public()`. */
@Injectable()
export class TokenGuard implements CanActivate {
  private readonly rules = new Map<Function, Map<Function, Rule>>();

  constructor(
    private readonly reflector: Reflector,
    private readonly verified: VerifiedTokens,
    private readonly revocations: Revocations,
    private readonly strategy: TokenStrategy,
  ) {}

  // Synchronous for a cached token: this is the hot path of every request.
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { isPublic, role } = this.ruleOf(context);
    if (isPublic) return true;
    const request = context.switchToHttp().getRequest<Authenticated>();
    const token = bearerToken(request);
    if (token === undefined) throw tokenMissing();
    const known = this.verified.get(token);
    if (known === undefined) return this.verify(token, request, role);
    request.user = known;
    return this.admit(known, role);
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

  private async verify(token: string, request: Authenticated, role: string | undefined): Promise<boolean> {
    request.user = await this.strategy.verify(token);
    return this.admit(request.user, role);
  }

  private admit(user: TokenUser, role: string | undefined): boolean {
    if (this.revocations.has(user.sessionId)) throw tokenRevoked();
    if (role !== undefined && !user.roles.includes(role)) throw roleMissing(role);
    return true;
  }
}

const bearerToken = (request: FastifyRequest): string | undefined =>
  /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
