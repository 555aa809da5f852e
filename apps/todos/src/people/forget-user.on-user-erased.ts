import { Controller } from '@nestjs/common';
import { Ctx, EventPattern } from '@nestjs/microservices';
import { userErased } from '#libs/contracts';
import { EventContext } from '#libs/messaging';
import { People } from './people.service.js';

@Controller()
export class ForgetUserOnUserErased {
  constructor(private readonly people: People) {}

  /** A tombstone has no data: who left is its key. */
  @EventPattern<string>(userErased.type, { ordered: true })
  async handle(@Ctx() { tx, key }: EventContext): Promise<void> {
    await this.people.forget(tx, key);
  }
}
