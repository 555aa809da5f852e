import { Injectable } from '@nestjs/common';
import type { TokenIntrospection } from '#libs/contracts';
import { Reader } from '#libs/service';
import { AccessTokens } from '../tokens/access-tokens.js';

/** Answers about tokens for callers that do not check them themselves: over HTTP, gRPC and Kafka alike. */
@Injectable()
export class ValidationService {
  constructor(
    private readonly reader: Reader,
    private readonly accessTokens: AccessTokens,
  ) {}

  /** Unlike the guard it asks the database, so an ended session or an erased account shows at once. RFC 7662 §2.2. */
  async validate(token: string): Promise<TokenIntrospection> {
    const claims = await this.accessTokens.verify(token);
    if (!claims) return { active: false };
    const { sub, sid, exp, iat, iss, aud, scope } = claims;
    // A session cannot outlive its account: the foreign key sees to it.
    const [session] = await this.reader.rows(
      'SELECT 1 FROM sessions WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > now()',
      [sid, sub],
    );
    if (!session) return { active: false };
    return { active: true, sub, sid, exp, iat, iss, aud, scope, token_type: 'Bearer' };
  }
}
