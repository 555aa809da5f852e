import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { sessionRevoked, type SessionRevoked } from '#libs/contracts';
import { Revocations } from './revocations.js';

@Controller()
export class RevokeOnSessionRevoked {
  constructor(private readonly revocations: Revocations) {}

  @EventPattern<string>(sessionRevoked.type, { broadcast: true })
  handle(@Payload() { sessionId, forgetAt }: SessionRevoked): void {
    this.revocations.add(sessionId, new Date(forgetAt));
  }
}
