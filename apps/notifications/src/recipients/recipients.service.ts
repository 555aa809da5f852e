import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { UserState } from '#libs/contracts';

export interface Recipient {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  /** BCP 47, such as `de` or `de-AT`. */
  language: string;
}

/** Nothing is known about a user whose account was erased. */
export type Erased = 'erased';

/** The local copy of users, from events: mails are sent even while the users service is down. */
@Injectable()
export class Recipients {
  constructor(private readonly dataSource: DataSource) {}

  /** These users by id, without those whose copy has not arrived yet. */
  async find(ids: string[]): Promise<Map<string, Recipient | Erased>> {
    const rows = await this.dataSource.query<(Recipient & { erased: boolean })[]>(
      `SELECT id, email, first_name AS "firstName", last_name AS "lastName", language, erased_at IS NOT NULL AS erased
       FROM recipients WHERE id = ANY($1::uuid[])`,
      [ids],
    );
    return new Map(rows.map(({ erased, ...recipient }) => [recipient.id, erased ? 'erased' : recipient]));
  }

  /** Stores a state of an account. An older one changes nothing. */
  async copy(tx: EntityManager, user: UserState): Promise<void> {
    await tx.query(
      `INSERT INTO recipients (id, email, first_name, last_name, language, version) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (id) DO UPDATE SET email = $2, first_name = $3, last_name = $4, language = $5, version = $6
       WHERE recipients.version < $6 AND recipients.erased_at IS NULL`,
      [user.id, user.email, user.firstName, user.lastName, user.language, user.version],
    );
  }

  /** Keeps only the id, so that neither a late event restores the user nor a late mail waits for the copy. */
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
