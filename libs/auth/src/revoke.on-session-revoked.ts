import { Controller } from '@nestjs/common';
import { sessionRevoked, type SessionRevoked } from '#libs/contracts';
import { OnEvent } from '#libs/messaging';
import { OWN_TOKENS } from './auth.settings.js';
import { Revocations } from './revocations.js';

@Controller()
export class RevokeOnSessionRevoked {
  constructor(private readonly revocations: Revocations) {}

  // What ended longer ago concerns no token that is still good. Twice its life, because clocks differ.
  @OnEvent(sessionRevoked, { broadcast: { last: 2 * OWN_TOKENS.maxLife } })
  handle({ sessionId, forgetAt }: SessionRevoked): void {
    this.revocations.add(sessionId, new Date(forgetAt));
  }
}
