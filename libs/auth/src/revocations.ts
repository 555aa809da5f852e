import { Injectable } from '@nestjs/common';

const PRUNE_EVERY = 60_000;

/**
 * Revoked sessions, kept in memory until the last of their tokens has expired.
 * Every replica reads them by its own broadcast consumer and is not ready before it has caught up.
 */
@Injectable()
export class Revocations {
  private readonly forgetAt = new Map<string, number>();
  private nextPrune = 0;

  get size(): number {
    return this.forgetAt.size;
  }

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
    // Not on each addition, whose cost would be quadratic.
    if (now < this.nextPrune) return;
    this.nextPrune = now + PRUNE_EVERY;
    for (const [sessionId, until] of this.forgetAt) if (until <= now) this.forgetAt.delete(sessionId);
  }
}
