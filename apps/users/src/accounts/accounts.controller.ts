import { Body, Controller, Delete, Get, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { CurrentUser, Public, RequiresRole, type TokenUser } from '#libs/auth';
import { badCursor, Feature, IdempotencyKey, idParam, IfMatch, type Once, Operation, type Page } from '#libs/http';
import { type Caller, From } from '../throttle/caller.js';
import { tooManyWaiting } from '../throttle/throttle.errors.js';
import { emailTaken, userNotFound } from './accounts.errors.js';
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

@Feature('users', 'Accounts and profiles')
@Controller('users')
export class AccountsController {
  constructor(private readonly accounts: AccountsService) {}

  @Post()
  @Public()
  @Operation({
    summary: 'Register an account',
    description: 'The welcome mail goes out in the language of the profile.',
    returns: userView,
    location: '/api/v1/users/',
    problems: [emailTaken, tooManyWaiting],
  })
  registerUser(
    @Body({ schema: newUser }) input: NewUser,
    @From() caller: Caller,
    @IdempotencyKey() once: Once,
  ): Promise<UserView> {
    return this.accounts.register(input, caller, once);
  }

  @Get('me')
  @Operation({
    summary: 'Show the own account',
    description: 'The account of the access token.',
    returns: userView,
    problems: [userNotFound],
  })
  getMe(@CurrentUser() user: TokenUser): Promise<UserView> {
    return this.accounts.get(user.id);
  }

  @Put('me')
  @Operation({
    summary: 'Replace the own profile',
    description: 'What is left out gets its default.',
    returns: userView,
    problems: [userNotFound],
  })
  replaceMe(
    @CurrentUser() user: TokenUser,
    @Body({ schema: profileInput }) profile: ProfileChange,
    @IfMatch() expected: number | undefined,
  ): Promise<UserView> {
    return this.accounts.update(user.id, profile, expected);
  }

  @Patch('me')
  @Operation({
    summary: 'Change the own profile',
    description: 'What is left out stays; null brings back the default (RFC 7396).',
    returns: userView,
    problems: [userNotFound],
  })
  updateMe(
    @CurrentUser() user: TokenUser,
    @Body({ schema: profilePatch }) patch: ProfileChange,
    @IfMatch() expected: number | undefined,
  ): Promise<UserView> {
    return this.accounts.update(user.id, patch, expected);
  }

  @Delete('me')
  @Operation({
    summary: 'Erase the own account',
    description: 'Ends its sessions; the other services erase what they have of it.',
    problems: [userNotFound],
  })
  deleteMe(@CurrentUser() user: TokenUser, @IfMatch() expected: number | undefined): Promise<void> {
    return this.accounts.erase(user.id, expected);
  }

  @Get()
  @RequiresRole('admin')
  @Operation({
    summary: 'List the accounts',
    description: 'In the order of their registration, as pages. For admins.',
    returns: userPage,
    problems: [badCursor],
  })
  getUsers(@Query({ schema: usersQuery }) query: UsersQuery): Promise<Page<UserView>> {
    return this.accounts.page(query);
  }

  @Get(':id')
  @RequiresRole('admin')
  @Operation({
    summary: 'Show an account',
    description: 'For admins.',
    returns: userView,
    problems: [userNotFound],
  })
  getUser(@Param('id', { schema: idParam }) id: string): Promise<UserView> {
    return this.accounts.get(id);
  }

  @Put(':id')
  @RequiresRole('admin')
  @Operation({
    summary: 'Replace a profile',
    description: 'What is left out gets its default. For admins.',
    returns: userView,
    problems: [userNotFound],
  })
  replaceUser(
    @Param('id', { schema: idParam }) id: string,
    @Body({ schema: profileInput }) profile: ProfileChange,
    @IfMatch() expected: number | undefined,
  ): Promise<UserView> {
    return this.accounts.update(id, profile, expected);
  }

  @Patch(':id')
  @RequiresRole('admin')
  @Operation({
    summary: 'Change a profile',
    description: 'What is left out stays; null brings back the default (RFC 7396). For admins.',
    returns: userView,
    problems: [userNotFound],
  })
  updateUser(
    @Param('id', { schema: idParam }) id: string,
    @Body({ schema: profilePatch }) patch: ProfileChange,
    @IfMatch() expected: number | undefined,
  ): Promise<UserView> {
    return this.accounts.update(id, patch, expected);
  }

  @Delete(':id')
  @RequiresRole('admin')
  @Operation({
    summary: 'Erase an account',
    description: 'Ends its sessions; the other services erase what they have of it. For admins.',
    problems: [userNotFound],
  })
  deleteUser(@Param('id', { schema: idParam }) id: string, @IfMatch() expected: number | undefined): Promise<void> {
    return this.accounts.erase(id, expected);
  }
}
