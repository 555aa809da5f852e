import { Controller } from '@nestjs/common';
import { sessionRevoked, type SessionRevoked } from '#libs/contracts';
import { OnEvent } from '#libs/messaging';
import { Revocations } from './revocations.js';

@Controller()
export class RevokeOnSessionRevoked {
  constructor(private readonly revocations: Revocations) {}

  @OnEvent(sessionRevoked, { broadcast: true })
  handle({ sessionId, forgetAt }: SessionRevoked): void {
    this.revocations.add(sessionId, new Date(forgetAt));
  }
}
