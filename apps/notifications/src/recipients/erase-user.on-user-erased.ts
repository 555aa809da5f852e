import { Controller } from '@nestjs/common';
import { userErased } from '#libs/contracts';
import { forgetAnswersOf } from '#libs/http';
import { EventContext, OnEvent } from '#libs/messaging';
import { DeliveryQueue } from '../deliveries/delivery-queue.js';
import { Feed } from '../feed/feed.service.js';
import { Recipients } from './recipients.service.js';

@Controller()
export class EraseUserOnUserErased {
  constructor(
    private readonly recipients: Recipients,
    private readonly deliveries: DeliveryQueue,
    private readonly feed: Feed,
  ) {}

  // A tombstone has no data: its key is the user's id.
  @OnEvent(userErased, { ordered: true })
  async handle(_tombstone: null, { tx, key }: EventContext): Promise<void> {
    await this.recipients.erase(tx, key);
    await this.deliveries.erase(tx, key);
    await this.feed.erase(tx, key);
    await forgetAnswersOf(tx, key);
  }
}
