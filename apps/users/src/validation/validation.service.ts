import { Inject, Injectable } from '@nestjs/common';
import { TokenStrategy } from '#libs/auth';
import type { TokenIntrospection } from '#libs/contracts';
import { Problem } from '#libs/http';
import { CONFIG, Reader } from '#libs/service';
import type { Config } from '../config.js';

/** Introspects tokens for callers that do not validate them themselves, over HTTP, gRPC and Kafka. */
@Injectable()
export class ValidationService {
  constructor(
    private readonly reader: Reader,
    private readonly strategy: TokenStrategy,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Unlike the guard it queries the database, so an ended session or an erased account takes effect at once. RFC 7662 §2.2. */
  async validate(token: string): Promise<TokenIntrospection> {
    const user = await this.strategy.verify(token).catch(inactive);
    if (!user) return { active: false };
    // A session cannot outlive its account, by the foreign key.
    const session = await this.reader.one(
      'SELECT 1 FROM sessions WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > now()',
      [user.sessionId, user.id],
    );
    if (!session) return { active: false };
    return {
      active: true,
      sub: user.id,
      sid: user.sessionId,
      exp: user.expiresAt / 1000,
      iat: user.issuedAt / 1000,
      iss: this.config.TOKEN_ISSUER,
      aud: this.config.TOKEN_AUDIENCE,
      scope: user.scope,
      token_type: 'Bearer',
    };
  }
}

/** A refused token is inactive; when validation is impossible, that is an error. */
function inactive(error: unknown): undefined {
  if (!(error instanceof Problem) || error.getStatus() >= 500) throw error;
}
