import { Module } from '@nestjs/common';
import { CopyUserOnUserChanged } from './copy-user.on-user-changed.js';
import { ForgetUserOnUserErased } from './forget-user.on-user-erased.js';
import { People } from './people.service.js';
import { UsersClient } from './users.client.js';

@Module({
  controllers: [CopyUserOnUserChanged, ForgetUserOnUserErased],
  providers: [People, UsersClient],
  exports: [People],
})
export class PeopleModule {}
