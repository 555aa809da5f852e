import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { userChanged, type UserState } from '#libs/contracts';
import { EventContext } from '#libs/messaging';
import { Recipients } from './recipients.service.js';

@Controller()
export class CopyUserOnUserChanged {
  constructor(private readonly recipients: Recipients) {}

  @EventPattern<string>(userChanged.type, { ordered: true })
  async handle(@Payload() user: UserState, @Ctx() { tx }: EventContext): Promise<void> {
    await this.recipients.copy(tx, user);
  }
}
