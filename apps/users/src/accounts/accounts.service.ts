import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { cacheExpired, userChanged, userErased, userRegistered } from '#libs/contracts';
import { assertVersion, forgetAnswersOf, type Once, type Page, readCursor, toPage } from '#libs/http';
import { Outbox, uuidv7 } from '#libs/messaging';
import { Reader } from '#libs/service';
import { Passwords } from '../passwords/passwords.service.js';
import { Attempts } from '../throttle/attempts.service.js';
import type { Caller } from '../throttle/caller.js';
import { Mails } from '../throttle/mails.service.js';
import { Revoker } from '../revocation/revoker.service.js';
import { conflictOr, userNotFound } from './accounts.errors.js';
import {
  type NewUser,
  type ProfileChange,
  toUserView,
  type UserRow,
  type UsersQuery,
  type UserView,
} from './accounts.schemas.js';
import { User } from './user.entity.js';

const COLUMNS = `id, email, first_name AS "firstName", last_name AS "lastName", age, club_member AS "clubMember",
  language, roles, created_at AS "createdAt", updated_at AS "updatedAt", version`;

/** Sorts before every id. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

@Injectable()
export class AccountsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly reader: Reader,
    private readonly outbox: Outbox,
    private readonly passwords: Passwords,
    private readonly attempts: Attempts,
    private readonly mails: Mails,
    private readonly revoker: Revoker,
  ) {}

  /** @throws Problem 400 for a weak password, 409 `email-taken`, 429 when too many register at once or from one network. */
  async register({ password, ...input }: NewUser, caller: Caller, once: Once): Promise<UserView> {
    // Never the client's choice: whoever knew the id of an erased account could have its remains.
    const id = uuidv7();
    this.passwords.assertStrong(password, input.email);
    // Before the transaction: it takes 30 ms, in which no connection and no lock should be held.
    const passwordHash = await this.passwords.hash(password, this.attempts.registration(caller, input.email));
    const insert = async (tx: EntityManager) => {
      const [row] = await tx.query<UserRow[]>(
        `INSERT INTO users (id, email, password_hash, first_name, last_name, age, club_member, language)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${COLUMNS}`,
        [id, input.email, passwordHash, input.firstName, input.lastName, input.age, input.clubMember, input.language],
      );
      const user = toUserView(row!);
      const welcome = await this.mails.allow(tx, input.email, caller.network);
      await this.outbox.addAll(tx, [
        { event: userChanged, key: id, data: user },
        { event: userRegistered, key: id, data: { userId: id, ...(!welcome && { welcome }) } },
      ]);
      return user;
    };
    return this.dataSource
      .transaction((tx) => once.run(tx, () => insert(tx), id))
      .catch((error: unknown) => {
        throw conflictOr(error);
      });
  }

  /** All accounts in the order of their ids, which is that of their registration. */
  async page({ cursor, limit }: UsersQuery): Promise<Page<UserView>> {
    const after = readCursor(cursor, z.guid()) ?? FIRST_ID;
    const rows = await this.reader.rows<UserRow>(`SELECT ${COLUMNS} FROM users WHERE id > $1 ORDER BY id LIMIT $2`, [
      after,
      limit + 1,
    ]);
    return toPage(rows, limit, toUserView, ({ id }) => id);
  }

  get(id: string): Promise<UserView> {
    return this.find('id', id);
  }

  /** `email` as emailAddress makes it. */
  getByEmail(email: string): Promise<UserView> {
    return this.find('email', email);
  }

  /** @throws Problem 404, or 412 when the version is not the `expected` one. */
  async update(id: string, change: ProfileChange, expected: number | undefined): Promise<UserView> {
    return this.dataSource.transaction(async (tx) => {
      const user = await lock(tx, id);
      assertVersion(expected, toUserView(user));
      const { version } = user;
      // Writes nothing, and keeps the version, when nothing is different.
      await tx.save(Object.assign(user, change));
      if (user.version === version) return toUserView(user);
      await this.outbox.addAll(tx, [
        { event: userChanged, key: id, data: toUserView(user) },
        { event: cacheExpired, key: id, data: { userId: id } },
      ]);
      return toUserView(user);
    });
  }

  /** Ends the account's sessions and erases it here; the tombstone lets the other services erase what they have. */
  async erase(id: string, expected: number | undefined): Promise<void> {
    const revoked = await this.dataSource.transaction(async (tx) => {
      // A login at this moment waits for this lock and then finds no account for its session.
      const user = await lock(tx, id);
      assertVersion(expected, toUserView(user));
      const sessions = await this.revoker.revokeAll(tx, id);
      await tx.delete(User, { id });
      await forgetAnswersOf(tx, id);
      await this.outbox.addAll(tx, [
        { event: userErased, key: id, data: null },
        { event: cacheExpired, key: id, data: { userId: id } },
      ]);
      return sessions;
    });
    this.revoker.applyHere(revoked);
  }

  private async find(column: 'id' | 'email', value: string): Promise<UserView> {
    const row = await this.reader.one<UserRow>(`SELECT ${COLUMNS} FROM users WHERE ${column} = $1`, [value]);
    if (!row) throw userNotFound();
    return toUserView(row);
  }
}

/** Takes the account's row lock, which serialises its changes and their events. */
async function lock(tx: EntityManager, id: string): Promise<User> {
  const user = await tx.findOne(User, { where: { id }, lock: { mode: 'pessimistic_write' } });
  if (!user) throw userNotFound();
  return user;
}
