import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { listDeleted } from '#libs/contracts';
import { Problem } from '#libs/http';
import { Outbox } from '#libs/messaging';
import type { Person } from './person.entity.js';
import { UsersClient } from './users.client.js';

const accountUnknown = () =>
  new Problem(401, 'account-unknown', 'The account of this token does not exist any more; register or log in again.');

@Injectable()
export class People {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
    private readonly users: UsersClient,
  ) {}

  /**
   * Brings in somebody whose copy has not arrived, by asking users.
   * @throws Problem 401 `account-unknown` when there is no such account, 503 when users cannot be asked.
   */
  async introduce(id: string): Promise<void> {
    const person = await this.users.getUser(id);
    if (!person) throw accountUnknown();
    const known = await this.dataSource.transaction((tx) => this.copy(tx, person));
    if (!known) throw accountUnknown();
  }

  /**
   * Keeps the newest state of a person: one that comes late, or again, changes nothing.
   * Returns false for somebody who was erased, and keeps nothing then.
   */
  async copy(tx: EntityManager, person: Person): Promise<boolean> {
    await lock(tx, person.id);
    const [erased] = await tx.query<object[]>('SELECT FROM erased_people WHERE id = $1', [person.id]);
    if (erased) return false;
    await tx.query(
      `INSERT INTO people (id, email, first_name, last_name, version) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (id) DO UPDATE
         SET email = excluded.email, first_name = excluded.first_name, last_name = excluded.last_name,
             version = excluded.version
       WHERE people.version < excluded.version`,
      [person.id, person.email, person.firstName, person.lastName, person.version],
    );
    return true;
  }

  /** Erases a person with all lists and items, and tells of the lists. */
  async forget(tx: EntityManager, id: string): Promise<void> {
    await lock(tx, id);
    await tx.query('INSERT INTO erased_people (id) VALUES ($1) ON CONFLICT DO NOTHING', [id]);
    const [lists] = await tx.query<[{ id: string }[], number]>('DELETE FROM lists WHERE owner_id = $1 RETURNING id', [
      id,
    ]);
    await this.outbox.addAll(
      tx,
      lists.map((list) => ({ event: listDeleted, key: list.id, data: { id: list.id, ownerId: id } })),
    );
    await tx.query('DELETE FROM people WHERE id = $1', [id]);
  }
}

/** Puts copying and erasing one person in a row: a copy that began before an erasure must not be written after it. */
const lock = (tx: EntityManager, id: string) =>
  tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('person ' || $1, 0))`, [id]);
