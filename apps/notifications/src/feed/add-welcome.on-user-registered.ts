import { Controller } from '@nestjs/common';
import { userRegistered, type UserRegistered } from '#libs/contracts';
import { EventContext, OnEvent } from '#libs/messaging';
import { Feed } from './feed.service.js';

@Controller()
export class AddWelcomeOnUserRegistered {
  constructor(private readonly feed: Feed) {}

  @OnEvent(userRegistered)
  async handle({ userId }: UserRegistered, { tx, id }: EventContext): Promise<void> {
    await this.feed.add(tx, userId, 'welcome', id);
  }
}
