import { Module } from '@nestjs/common';
import { CopyUserOnUserChanged } from './copy-user.on-user-changed.js';
import { EraseUserOnUserErased } from './erase-user.on-user-erased.js';
import { Users } from './users.service.js';
import { UsersClient } from './users.client.js';

@Module({
  controllers: [CopyUserOnUserChanged, EraseUserOnUserErased],
  providers: [Users, UsersClient],
  exports: [Users, UsersClient],
})
export class UsersModule {}
