import { Controller } from '@nestjs/common';
import { Ctx, EventPattern } from '@nestjs/microservices';
import { userErased } from '#libs/contracts';
import { EventContext } from '#libs/messaging';
import { Users } from './users.service.js';

@Controller()
export class EraseUserOnUserErased {
  constructor(private readonly users: Users) {}

  /** A tombstone has no data: who left is its key. */
  @EventPattern<string>(userErased.type, { ordered: true })
  async handle(@Ctx() { tx, key }: EventContext): Promise<void> {
    await this.users.erase(tx, key);
  }
}
