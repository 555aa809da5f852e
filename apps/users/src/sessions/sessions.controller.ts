import { Body, Controller, Headers, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Public, type TokenUser } from '#libs/auth';
import {
  type LoginInput,
  loginInput,
  type RefreshInput,
  refreshInput,
  type Tokens,
  tokens,
} from './sessions.schemas.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('auth')
@Controller('auth')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Post('login')
  @Public()
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: tokens })
  login(
    @Body({ schema: loginInput }) input: LoginInput,
    @Headers('user-agent') userAgent: string | undefined,
  ): Promise<Tokens> {
    return this.sessions.login(input, userAgent);
  }

  @Post('refresh')
  @Public()
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: tokens })
  refresh(@Body({ schema: refreshInput }) { refreshToken }: RefreshInput): Promise<Tokens> {
    return this.sessions.refresh(refreshToken);
  }

  @Post('logout')
  @HttpCode(204)
  @ApiBearerAuth()
  @ApiResponse({ status: 204, description: 'The session of the token has ended' })
  logout(@CurrentUser() user: TokenUser): Promise<void> {
    return this.sessions.logout(user.sessionId);
  }
}
