import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { listDeleted } from '#libs/contracts';
import { forgetAnswersOf } from '#libs/http';
import { Outbox } from '#libs/messaging';
import type { User } from './user.entity.js';
import { UsersClient } from './users.client.js';
import { accountUnknown } from './users.errors.js';

const LISTS_AT_ONCE = 50;

@Injectable()
export class Users {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
    private readonly client: UsersClient,
  ) {}

  /**
   * Fetches the copy of a user whose event has not arrived yet, by asking the users service.
   * @throws Problem 401 `account-unknown` when there is no such account, 503 when users is not available.
   */
  async fetchMissing(id: string): Promise<void> {
    const user = await this.client.getUser(id);
    if (!user) throw accountUnknown();
    const known = await this.dataSource.transaction((tx) => this.copy(tx, user));
    if (!known) throw accountUnknown();
  }

  /**
   * Stores the newest state of a user: older and repeated ones change nothing.
   * Returns false, and stores nothing, for an erased user.
   */
  async copy(tx: EntityManager, user: User): Promise<boolean> {
    await lock(tx, user.id);
    const [erased] = await tx.query<object[]>('SELECT FROM erased_people WHERE id = $1', [user.id]);
    if (erased) return false;
    await tx.query(
      `INSERT INTO people (id, email, first_name, last_name, version) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (id) DO UPDATE
         SET email = excluded.email, first_name = excluded.first_name, last_name = excluded.last_name,
             version = excluded.version
       WHERE people.version < excluded.version`,
      [user.id, user.email, user.firstName, user.lastName, user.version],
    );
    return true;
  }

  /** Erases a user with all lists and items, and publishes the deletion of the lists. */
  async erase(tx: EntityManager, id: string): Promise<void> {
    await lock(tx, id);
    await tx.query('INSERT INTO erased_people (id) VALUES ($1) ON CONFLICT DO NOTHING', [id]);
    while (await this.deleteLists(tx, id));
    await tx.query('DELETE FROM people WHERE id = $1', [id]);
    await forgetAnswersOf(tx, id);
  }

  /** In small batches: a statement that exceeds its time limit would do so at every retry. @returns whether there may be more. */
  private async deleteLists(tx: EntityManager, ownerId: string): Promise<boolean> {
    const [lists] = await tx.query<[{ id: string }[], number]>(
      'DELETE FROM lists WHERE id IN (SELECT id FROM lists WHERE owner_id = $1 LIMIT $2) RETURNING id',
      [ownerId, LISTS_AT_ONCE],
    );
    await this.outbox.addAll(
      tx,
      lists.map(({ id }) => ({ event: listDeleted, key: id, data: { id, ownerId } })),
    );
    return lists.length === LISTS_AT_ONCE;
  }
}

/** Serialises copying and erasing of one user: a copy that began before an erasure must not be written after it. */
const lock = (tx: EntityManager, id: string) =>
  tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('person ' || $1, 0))`, [id]);
