import { Controller } from '@nestjs/common';
import { userRegistered, type UserRegistered } from '#libs/contracts';
import { EventContext, OnEvent } from '#libs/messaging';
import { DeliveryQueue } from '../deliveries/delivery-queue.js';

@Controller()
export class SendWelcomeOnUserRegistered {
  constructor(private readonly deliveries: DeliveryQueue) {}

  // The effect is only a row: the consumer does not wait for the mail server.
  @OnEvent(userRegistered)
  async handle({ userId, welcome }: UserRegistered, { tx, id, time }: EventContext): Promise<void> {
    if (welcome === false) return;
    await this.deliveries.add(tx, { eventId: id, eventTime: time, template: 'welcome', userId });
  }
}
