import { Controller } from '@nestjs/common';
import { userChanged, type UserState } from '#libs/contracts';
import { EventContext, OnEvent } from '#libs/messaging';
import { Users } from './users.service.js';

@Controller()
export class CopyUserOnUserChanged {
  constructor(private readonly users: Users) {}

  // Ordered: an address that moved from one account to another must never belong to both.
  @OnEvent(userChanged, { ordered: true })
  async handle(user: UserState, { tx }: EventContext): Promise<void> {
    await this.users.copy(tx, user);
  }
}
