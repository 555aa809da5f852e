import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBearerAuth, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Public, RequiresRole, type TokenUser } from '#libs/auth';
import { IdempotencyKey, idParam, IfMatch, type Once, type Page } from '#libs/http';
import {
  type NewUser,
  newUser,
  type ProfileChange,
  profileInput,
  profilePatch,
  userPage,
  type UsersQuery,
  usersQuery,
  type UserView,
  userView,
} from './accounts.schemas.js';
import { AccountsService } from './accounts.service.js';

@ApiTags('users')
@Controller('users')
export class AccountsController {
  constructor(private readonly accounts: AccountsService) {}

  @Post()
  @Public()
  @RouteConfig({ location: '/api/v1/users/' })
  @ApiResponse({ status: 201, standardSchema: userView })
  registerUser(@Body({ schema: newUser }) input: NewUser, @IdempotencyKey() once: Once): Promise<UserView> {
    return this.accounts.register(input, once);
  }

  @Get('me')
  @ApiBearerAuth()
  @ApiResponse({ status: 200, standardSchema: userView })
  getMe(@CurrentUser() user: TokenUser): Promise<UserView> {
    return this.accounts.get(user.id);
  }

  @Put('me')
  @ApiBearerAuth()
  @ApiResponse({ status: 200, standardSchema: userView })
  replaceMe(
    @CurrentUser() user: TokenUser,
    @Body({ schema: profileInput }) profile: ProfileChange,
    @IfMatch() expected: number | undefined,
  ): Promise<UserView> {
    return this.accounts.update(user.id, profile, expected);
  }

  @Patch('me')
  @ApiBearerAuth()
  @ApiResponse({ status: 200, standardSchema: userView })
  updateMe(
    @CurrentUser() user: TokenUser,
    @Body({ schema: profilePatch }) patch: ProfileChange,
    @IfMatch() expected: number | undefined,
  ): Promise<UserView> {
    return this.accounts.update(user.id, patch, expected);
  }

  @Delete('me')
  @HttpCode(204)
  @ApiBearerAuth()
  @ApiResponse({ status: 204, description: 'Erased; its sessions have ended' })
  deleteMe(@CurrentUser() user: TokenUser, @IfMatch() expected: number | undefined): Promise<void> {
    return this.accounts.erase(user.id, expected);
  }

  @Get()
  @RequiresRole('admin')
  @ApiBearerAuth()
  @ApiResponse({ status: 200, standardSchema: userPage })
  getUsers(@Query({ schema: usersQuery }) query: UsersQuery): Promise<Page<UserView>> {
    return this.accounts.page(query);
  }

  @Get(':id')
  @RequiresRole('admin')
  @ApiBearerAuth()
  @ApiResponse({ status: 200, standardSchema: userView })
  getUser(@Param('id', { schema: idParam }) id: string): Promise<UserView> {
    return this.accounts.get(id);
  }

  @Put(':id')
  @RequiresRole('admin')
  @ApiBearerAuth()
  @ApiResponse({ status: 200, standardSchema: userView })
  replaceUser(
    @Param('id', { schema: idParam }) id: string,
    @Body({ schema: profileInput }) profile: ProfileChange,
    @IfMatch() expected: number | undefined,
  ): Promise<UserView> {
    return this.accounts.update(id, profile, expected);
  }

  @Patch(':id')
  @RequiresRole('admin')
  @ApiBearerAuth()
  @ApiResponse({ status: 200, standardSchema: userView })
  updateUser(
    @Param('id', { schema: idParam }) id: string,
    @Body({ schema: profilePatch }) patch: ProfileChange,
    @IfMatch() expected: number | undefined,
  ): Promise<UserView> {
    return this.accounts.update(id, patch, expected);
  }

  @Delete(':id')
  @RequiresRole('admin')
  @HttpCode(204)
  @ApiBearerAuth()
  @ApiResponse({ status: 204, description: 'Erased; its sessions have ended' })
  deleteUser(@Param('id', { schema: idParam }) id: string, @IfMatch() expected: number | undefined): Promise<void> {
    return this.accounts.erase(id, expected);
  }
}
