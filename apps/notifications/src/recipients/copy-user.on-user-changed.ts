import { Controller } from '@nestjs/common';
import { userChanged, type UserState } from '#libs/contracts';
import { EventContext, OnEvent } from '#libs/messaging';
import { Recipients } from './recipients.service.js';

@Controller()
export class CopyUserOnUserChanged {
  constructor(private readonly recipients: Recipients) {}

  @OnEvent(userChanged, { ordered: true })
  async handle(user: UserState, { tx }: EventContext): Promise<void> {
    await this.recipients.copy(tx, user);
  }
}
