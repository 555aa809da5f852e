import { Body, Controller, Headers, Post } from '@nestjs/common';
import { CurrentUser, Public, type TokenUser } from '#libs/auth';
import { Feature, Operation } from '#libs/http';
import { type Caller, From } from '../throttle/caller.js';
import { tooManyWaiting } from '../throttle/throttle.errors.js';
import { invalidCredentials, refreshTokenInvalid, refreshTokenReused } from './sessions.errors.js';
import {
  type LoginInput,
  loginInput,
  type RefreshInput,
  refreshInput,
  type Tokens,
  tokens,
} from './sessions.schemas.js';
import { SessionsService } from './sessions.service.js';

@Feature('auth', 'Sessions and tokens')
@Controller('auth')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Post('login')
  @Public()
  @Operation({
    summary: 'Log in',
    description:
      'Begins a session. The cookie that comes with it makes this device known to the account: its logins need not wait with those of strangers.',
    returns: tokens,
    problems: [invalidCredentials, tooManyWaiting],
  })
  login(
    @Body({ schema: loginInput }) input: LoginInput,
    @From() caller: Caller,
    @Headers('user-agent') userAgent: string | undefined,
  ): Promise<Tokens> {
    return this.sessions.login(input, caller, userAgent);
  }

  @Post('refresh')
  @Public()
  @Operation({
    summary: 'Get the next tokens',
    description:
      'A refresh token is good once; an older one ends the session, since either the client or a thief has it.',
    returns: tokens,
    problems: [refreshTokenInvalid, refreshTokenReused],
  })
  refresh(@Body({ schema: refreshInput }) { refreshToken }: RefreshInput): Promise<Tokens> {
    return this.sessions.refresh(refreshToken);
  }

  @Post('logout')
  @Operation({
    summary: 'Log out',
    description: 'Ends the session of the access token.',
  })
  logout(@CurrentUser() user: TokenUser): Promise<void> {
    return this.sessions.logout(user.sessionId);
  }
}
