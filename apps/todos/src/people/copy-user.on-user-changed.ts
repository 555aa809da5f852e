import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { userChanged, type UserState } from '#libs/contracts';
import { EventContext } from '#libs/messaging';
import { People } from './people.service.js';

@Controller()
export class CopyUserOnUserChanged {
  constructor(private readonly people: People) {}

  // Ordered: an address that moved from one account to another must never be seen with both.
  @EventPattern<string>(userChanged.type, { ordered: true })
  async handle(@Payload() user: UserState, @Ctx() { tx }: EventContext): Promise<void> {
    await this.people.copy(tx, user);
  }
}
