import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { userRegistered, type UserRegistered } from '#libs/contracts';
import { EventContext } from '#libs/messaging';
import { DeliveryQueue } from '../deliveries/delivery-queue.js';

@Controller()
export class SendWelcomeOnUserRegistered {
  constructor(private readonly deliveries: DeliveryQueue) {}

  // The effect is only a row: the mail server is none of the consumer's business.
  @EventPattern<string>(userRegistered.type)
  async handle(@Payload() { userId }: UserRegistered, @Ctx() { tx, id, time }: EventContext): Promise<void> {
    await this.deliveries.add(tx, { eventId: id, eventTime: time, template: 'welcome', userId });
  }
}
