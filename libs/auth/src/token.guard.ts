import {
  applyDecorators,
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { declaresProblems, PUBLIC, RateLimiter, tooManyRequests } from '#libs/http';
import { CONFIG } from '#libs/service';
import { roleMissing, scopeMissing, tokenExpired, tokenInvalid, tokenMissing, tokenRevoked } from './auth.errors.js';
import type { AuthConfig } from './auth.settings.js';
import { Revocations } from './revocations.js';
import { TokenStrategy } from './token.strategy.js';
import { type TokenUser, VerifiedTokens } from './verified-tokens.js';

type Authenticated = FastifyRequest & { user: TokenUser };

const ROLE = Symbol('role');

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

export const CurrentUser = createParamDecorator(userOf, [needsToken]);

/** Guards every route: a token is required unless the route is `@Public()`; a person has a limit. */
@Injectable()
export class TokenGuard implements CanActivate {
  private readonly limiter: RateLimiter | undefined;
  private readonly rules = new Map<Function, Map<Function, Rule>>();

  constructor(
    private readonly reflector: Reflector,
    private readonly verified: VerifiedTokens,
    private readonly revocations: Revocations,
    private readonly strategy: TokenStrategy,
    @Inject(CONFIG) { RATE_LIMIT_PERSON }: Pick<AuthConfig, 'RATE_LIMIT_PERSON'>,
  ) {
    this.limiter = RATE_LIMIT_PERSON && new RateLimiter({ name: 'person', ...RATE_LIMIT_PERSON });
  }

  // Synchronous for a cached token: this is the hot path of every request.
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { isPublic, role } = this.ruleOf(context);
    if (isPublic) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<Authenticated>();
    const reply = http.getResponse<FastifyReply>();
    const token = bearerToken(request);
    if (token === undefined) throw tokenMissing();
    const known = this.verified.get(token);
    if (known === undefined) return this.verify(token, request, reply, role);
    request.user = known;
    return this.admit(known, reply, role);
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

  private async verify(
    token: string,
    request: Authenticated,
    reply: FastifyReply,
    role: string | undefined,
  ): Promise<boolean> {
    request.user = await this.strategy.verify(token);
    return this.admit(request.user, reply, role);
  }

  private admit(user: TokenUser, reply: FastifyReply, role: string | undefined): boolean {
    if (this.revocations.has(user.sessionId)) throw tokenRevoked();
    if (this.limiter) limit(this.limiter, user, reply);
    if (role !== undefined && !user.roles.includes(role)) throw roleMissing(role);
    return true;
  }
}

function limit(limiter: RateLimiter, { id }: TokenUser, reply: FastifyReply): void {
  const state = limiter.take(id);
  if (state.remaining < 0) throw tooManyRequests(state);
  limiter.tell(reply, state);
}

const bearerToken = (request: FastifyRequest): string | undefined =>
  /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
