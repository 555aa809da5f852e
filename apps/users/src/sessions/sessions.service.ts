import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { SessionRevoked } from '#libs/contracts';
import { uuidv7 } from '#libs/messaging';
import { CONFIG, Reader } from '#libs/service';
import type { Config } from '../config.js';
import { Passwords } from '../passwords/passwords.service.js';
import { Attempts } from '../throttle/attempts.service.js';
import type { Caller } from '../throttle/caller.js';
import { Devices } from '../throttle/devices.service.js';
import type { Applicant } from '../throttle/turns.service.js';
import { AccessTokens } from '../tokens/access-tokens.js';
import { RefreshTokens } from '../tokens/refresh-tokens.js';
import { Revoker } from '../revocation/revoker.service.js';
import { Session } from './session.entity.js';
import { invalidCredentials, refreshTokenInvalid, refreshTokenReused } from './sessions.errors.js';
import type { LoginInput, Tokens } from './sessions.schemas.js';

/** How long after a rotation the former refresh token gets the same answer again, in milliseconds: its answer was lost. */
const RETRY_WINDOW = 10_000;

@Injectable()
export class SessionsService {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(CONFIG) private readonly config: Config,
    private readonly reader: Reader,
    private readonly passwords: Passwords,
    private readonly attempts: Attempts,
    private readonly devices: Devices,
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly revoker: Revoker,
  ) {}

  /**
   * Begins a session, and makes the caller's device a known one.
   * @throws Problem 401 `invalid-credentials`, after the same work for a known and an unknown address; 429 under a flood, or beyond a limit.
   */
  async login({ email, password }: LoginInput, caller: Caller, userAgent: string | undefined): Promise<Tokens> {
    const attempt = await this.attempts.login(caller, email);
    const user = await this.reader.one<{ id: string; roles: string[]; passwordHash: string }>(
      'SELECT id, roles, password_hash AS "passwordHash" FROM users WHERE email = $1',
      [email],
    );
    if (!(await this.passwords.verify(user?.passwordHash, password, attempt)) || !user) {
      throw invalidCredentials();
    }
    await attempt.succeeded();
    if (this.passwords.isOutdated(user.passwordHash))
      await this.rehash(user, password, { ...attempt, admit: undefined });
    const session = this.dataSource.manager.create(Session, {
      id: uuidv7(),
      userId: user.id,
      generation: 0,
      salt: randomBytes(16),
      rotatedAt: new Date(),
      expiresAt: new Date(Date.now() + this.config.REFRESH_TOKEN_TTL),
      userAgent: userAgent?.slice(0, 400) ?? null,
    });
    // Signed before the session can be seen, so that no revocation of it is older than a token.
    const tokens = await this.tokens(session, user.roles);
    this.revoker.applyHere(await this.dataSource.transaction((tx) => this.begin(tx, session)));
    caller.setCookie(this.devices.cookieFor(email));
    return tokens;
  }

  /**
   * Exchanges a refresh token for the next. The row lock serialises concurrent refreshes: the later one is a retry.
   * @throws Problem 401 `refresh-token-invalid`; `refresh-token-reused` for an older token, which ends the session: either
   *   the client or a thief shows a token that the other has used.
   */
  async refresh(refreshToken: string): Promise<Tokens> {
    const shown = this.refreshTokens.read(refreshToken);
    if (!shown) throw refreshTokenInvalid();
    const outcome = await this.dataSource.transaction(async (tx) => {
      const session = await tx.findOne(Session, {
        where: { id: shown.sessionId },
        lock: { mode: 'pessimistic_write' },
      });
      const now = new Date();
      if (!session || !this.refreshTokens.isOurs(shown, session.salt)) throw refreshTokenInvalid();
      if (session.revokedAt || session.expiresAt <= now || shown.generation > session.generation) {
        throw refreshTokenInvalid();
      }
      const behind = session.generation - shown.generation;
      const isRetry = behind === 1 && now.getTime() - session.rotatedAt.getTime() <= RETRY_WINDOW;
      if (behind > 0 && !isRetry) return { revoked: await this.revoker.revoke(tx, session.id) };
      if (!isRetry) await this.rotate(tx, session, now);
      const [user] = await tx.query<{ roles: string[] }[]>('SELECT roles FROM users WHERE id = $1', [session.userId]);
      return this.tokens(session, user!.roles);
    });
    if (!('revoked' in outcome)) return outcome;
    this.revoker.applyHere(outcome.revoked);
    throw refreshTokenReused();
  }

  /** Ends the session whose access token the client shows. */
  async logout(sessionId: string): Promise<void> {
    this.revoker.applyHere(await this.dataSource.transaction((tx) => this.revoker.revoke(tx, sessionId)));
  }

  /** Stores a session. Returns those that end because the account has too many. */
  private async begin(tx: EntityManager, session: Session): Promise<SessionRevoked[]> {
    // Serialises the logins of an account, and waits for an erasure of it.
    const [user] = await tx.query<object[]>('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [session.userId]);
    if (!user) throw invalidCredentials();
    await tx.insert(Session, session);
    return this.revoker.revokeAll(tx, session.userId, { except: this.config.SESSIONS_PER_ACCOUNT });
  }

  private async rotate(tx: EntityManager, session: Session, now: Date): Promise<void> {
    session.generation += 1;
    session.rotatedAt = now;
    session.expiresAt = new Date(now.getTime() + this.config.REFRESH_TOKEN_TTL);
    const { generation, rotatedAt, expiresAt } = session;
    await tx.update(Session, session.id, { generation, rotatedAt, expiresAt });
  }

  private async tokens({ id, userId, generation, salt }: Session, roles: string[]): Promise<Tokens> {
    const { token, expiresIn } = await this.accessTokens.issue({ id: userId, roles }, id);
    const refreshToken = this.refreshTokens.make({ sessionId: id, generation, salt });
    return { accessToken: token, tokenType: 'Bearer', expiresIn, refreshToken };
  }

  // Plain SQL: the version belongs to what others see of the account, and they see nothing of this.
  private async rehash(
    { id, passwordHash }: { id: string; passwordHash: string },
    password: string,
    applicant: Applicant,
  ): Promise<void> {
    const stronger = await this.passwords.hash(password, applicant);
    await this.dataSource.query('UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3', [
      stronger,
      id,
      passwordHash,
    ]);
  }
}
