import { Controller } from '@nestjs/common';
import { userErased } from '#libs/contracts';
import { EventContext, OnEvent } from '#libs/messaging';
import { Users } from './users.service.js';

@Controller()
export class EraseUserOnUserErased {
  constructor(private readonly users: Users) {}

  /** A tombstone has no data: its key is the user's id. */
  @OnEvent(userErased, { ordered: true })
  async handle(_tombstone: null, { tx, key }: EventContext): Promise<void> {
    await this.users.erase(tx, key);
  }
}
