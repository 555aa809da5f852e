import { Inject, Injectable } from '@nestjs/common';
import { type EntityManager, IsNull, MoreThan } from 'typeorm';
import { Revocations } from '#libs/auth';
import { sessionRevoked, type SessionRevoked } from '#libs/contracts';
import { Outbox } from '#libs/messaging';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { Session } from '../sessions/session.entity.js';

/** Clocks of replicas differ, so a revocation is kept a little longer than the session's last token. */
const CLOCK_SKEW = 60_000;

/** Ends sessions: their refresh tokens at once, their access tokens as soon as each replica has read the event. */
@Injectable()
export class Revoker {
  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'ACCESS_TOKEN_TTL'>,
    private readonly outbox: Outbox,
    private readonly revocations: Revocations,
  ) {}

  /** Ends one session in the caller's transaction, unless it has ended. Returns what was revoked. */
  async revoke(tx: EntityManager, sessionId: string): Promise<SessionRevoked[]> {
    const session = await tx.findOne(Session, {
      where: { id: sessionId, revokedAt: IsNull() },
      lock: { mode: 'pessimistic_write' },
    });
    return this.end(tx, session ? [session] : []);
  }

  /**
   * Ends all sessions of a user, `except` for the given number of those refreshed last. The caller holds the user's row lock,
   * so that none can begin meanwhile.
   */
  async revokeAll(tx: EntityManager, userId: string, { except = 0 } = {}): Promise<SessionRevoked[]> {
    const sessions = await tx.find(Session, {
      where: { userId, revokedAt: IsNull(), expiresAt: MoreThan(new Date()) },
      order: { rotatedAt: 'DESC', id: 'DESC' },
      skip: except,
      lock: { mode: 'pessimistic_write' },
    });
    return this.end(tx, sessions);
  }

  /** Ends up to `most` sessions, of any users. */
  async revokeAny(tx: EntityManager, most: number): Promise<SessionRevoked[]> {
    const where = { revokedAt: IsNull(), expiresAt: MoreThan(new Date()) };
    return this.end(tx, await tx.find(Session, { where, take: most, lock: { mode: 'pessimistic_write' } }));
  }

  /** After the commit: this replica need not wait for the event from Kafka. */
  applyHere(revoked: SessionRevoked[]): void {
    for (const { sessionId, forgetAt } of revoked) this.revocations.add(sessionId, new Date(forgetAt));
  }

  private async end(tx: EntityManager, sessions: Session[]): Promise<SessionRevoked[]> {
    if (sessions.length === 0) return [];
    const now = Date.now();
    const forgetAt = new Date(now + this.config.ACCESS_TOKEN_TTL + CLOCK_SKEW).toISOString();
    await tx.update(
      Session,
      sessions.map(({ id }) => id),
      { revokedAt: new Date(now) },
    );
    const revoked = sessions.map(({ id, userId }) => ({ sessionId: id, userId, forgetAt }));
    const entries = revoked.map((data) => ({ event: sessionRevoked, key: data.userId, data }));
    await this.outbox.addAll(tx, entries);
    return revoked;
  }
}
