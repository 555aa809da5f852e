import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { UserState } from '#libs/contracts';

/** Somebody who can be written to. */
export interface Recipient {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  /** BCP 47, such as `de` or `de-AT`. */
  language: string;
}

/** Of a user whose account was erased nothing is known any more. */
export type Erased = 'erased';

/** The local copy of users, fed by events: mails go out while the users service is down. */
@Injectable()
export class Recipients {
  constructor(private readonly dataSource: DataSource) {}

  /** What is known of these users by id; who is missing has not arrived yet. */
  async find(ids: string[]): Promise<Map<string, Recipient | Erased>> {
    const rows = await this.dataSource.query<(Recipient & { erased: boolean })[]>(
      `SELECT id, email, first_name AS "firstName", last_name AS "lastName", language, erased_at IS NOT NULL AS erased
       FROM recipients WHERE id = ANY($1::uuid[])`,
      [ids],
    );
    return new Map(rows.map(({ erased, ...recipient }) => [recipient.id, erased ? 'erased' : recipient]));
  }

  /** Takes over a state of an account. One that is older than what is here changes nothing. */
  async copy(tx: EntityManager, user: UserState): Promise<void> {
    await tx.query(
      `INSERT INTO recipients (id, email, first_name, last_name, language, version) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (id) DO UPDATE SET email = $2, first_name = $3, last_name = $4, language = $5, version = $6
       WHERE recipients.version < $6 AND recipients.erased_at IS NULL`,
      [user.id, user.email, user.firstName, user.lastName, user.language, user.version],
    );
  }

  /** Keeps the bare id, so that neither a late event brings the user back nor a late mail waits for them. */
  async erase(tx: EntityManager, id: string): Promise<void> {
    await tx.query(
      `INSERT INTO recipients (id, version, erased_at) VALUES ($1, 0, now())
       ON CONFLICT (id) DO UPDATE
       SET email = NULL, first_name = NULL, last_name = NULL, language = NULL, erased_at = now()
       WHERE recipients.erased_at IS NULL`,
      [id],
    );
  }
}
