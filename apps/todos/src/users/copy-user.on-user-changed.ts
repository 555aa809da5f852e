import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { userChanged, type UserState } from '#libs/contracts';
import { EventContext } from '#libs/messaging';
import { Users } from './users.service.js';

@Controller()
export class CopyUserOnUserChanged {
  constructor(private readonly users: Users) {}

  // Ordered: an address that moved from one account to another must never be seen with both.
  @EventPattern<string>(userChanged.type, { ordered: true })
  async handle(@Payload() user: UserState, @Ctx() { tx }: EventContext): Promise<void> {
    await this.users.copy(tx, user);
  }
}
