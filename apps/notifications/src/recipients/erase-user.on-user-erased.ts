import { Controller } from '@nestjs/common';
import { Ctx, EventPattern } from '@nestjs/microservices';
import { userErased } from '#libs/contracts';
import { EventContext } from '#libs/messaging';
import { DeliveryQueue } from '../deliveries/delivery-queue.js';
import { Recipients } from './recipients.service.js';

@Controller()
export class EraseUserOnUserErased {
  constructor(
    private readonly recipients: Recipients,
    private readonly deliveries: DeliveryQueue,
  ) {}

  // A tombstone has no data: its key says whose it is.
  @EventPattern<string>(userErased.type, { ordered: true })
  async handle(@Ctx() { tx, key }: EventContext): Promise<void> {
    await this.recipients.erase(tx, key);
    await this.deliveries.erase(tx, key);
  }
}
