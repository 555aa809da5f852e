import { Injectable } from '@nestjs/common';

/**
 * The sessions that ended before their tokens did, kept in memory for as long as one of those tokens could still be shown.
 * Every replica is fed by its own broadcast consumer and is not ready before it has caught up.
 */
@Injectable()
export class Revocations {
  private readonly forgetAt = new Map<string, number>();

  add(sessionId: string, forgetAt: Date): void {
    if (forgetAt.getTime() <= Date.now()) return;
    this.forgetAt.set(sessionId, forgetAt.getTime());
    this.prune();
  }

  has(sessionId: string): boolean {
    return this.forgetAt.has(sessionId);
  }

  private prune(): void {
    const now = Date.now();
    for (const [sessionId, until] of this.forgetAt) if (until <= now) this.forgetAt.delete(sessionId);
  }
}
