import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { cacheExpired } from '#libs/contracts';
import { type Once, type Page, readCursor, toPage } from '#libs/http';
import { Outbox } from '#libs/messaging';
import { Reader } from '#libs/service';
import { notificationNotFound } from './feed.errors.js';
import {
  type kinds,
  type MarkedRead,
  type NotificationRow,
  type NotificationView,
  toNotificationView,
  type UnreadCount,
} from './feed.schemas.js';

const COLUMNS = 'id, kind, created_at, read_at';

/** The table `notifications`. Ids are UUIDv7, so their order is that of creation. */
@Injectable()
export class Feed {
  constructor(
    private readonly dataSource: DataSource,
    private readonly reader: Reader,
    private readonly outbox: Outbox,
  ) {}

  /** Adds a notification, once per event and kind; none for an erased account. */
  async add(tx: EntityManager, userId: string, kind: (typeof kinds)[number], eventId: string): Promise<void> {
    await lock(tx, userId);
    await tx.query(
      `INSERT INTO notifications (event_id, kind, user_id)
       SELECT $1, $2, $3::uuid
       WHERE NOT EXISTS (SELECT FROM recipients WHERE id = $3::uuid AND erased_at IS NOT NULL)
       ON CONFLICT ON CONSTRAINT notifications_event_kind DO NOTHING`,
      [eventId, kind, userId],
    );
    await this.expireCaches(tx, userId);
  }

  /** Deletes a person's notifications. Called after their account was marked as erased, in the same transaction. */
  async erase(tx: EntityManager, userId: string): Promise<void> {
    await lock(tx, userId);
    await tx.query('DELETE FROM notifications WHERE user_id = $1', [userId]);
  }

  /** The newest first. */
  async page(userId: string, { cursor, limit }: { cursor?: string; limit: number }): Promise<Page<NotificationView>> {
    const before = readCursor(cursor, z.guid());
    const rows = await this.reader.rows<NotificationRow>(
      `SELECT ${COLUMNS} FROM notifications WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2)
       ORDER BY id DESC LIMIT $3`,
      [userId, before ?? null, limit + 1],
    );
    return toPage(rows, limit, toNotificationView, ({ id }) => id);
  }

  async unread(userId: string): Promise<UnreadCount> {
    const [row] = await this.reader.rows<UnreadCount>(
      'SELECT count(*)::int AS unread FROM notifications WHERE user_id = $1 AND read_at IS NULL',
      [userId],
    );
    return row!;
  }

  /** Notifications that were read before keep their time. @throws Problem 404, also for another person's notification. */
  async read(userId: string, id: string, once: Once): Promise<NotificationView> {
    return this.dataSource.transaction((tx) =>
      once.run(tx, async () => {
        const [[row]] = await tx.query<[NotificationRow[], number]>(
          `UPDATE notifications SET read_at = coalesce(read_at, now())
           WHERE id = $1 AND user_id = $2 RETURNING ${COLUMNS}`,
          [id, userId],
        );
        if (!row) throw notificationNotFound();
        await this.expireCaches(tx, userId);
        return toNotificationView(row);
      }),
    );
  }

  async readAll(userId: string, once: Once): Promise<MarkedRead> {
    return this.dataSource.transaction((tx) =>
      once.run(tx, async () => {
        const [, marked] = await tx.query<[unknown[], number]>(
          'UPDATE notifications SET read_at = now() WHERE user_id = $1 AND read_at IS NULL',
          [userId],
        );
        if (marked > 0) await this.expireCaches(tx, userId);
        return { marked };
      }),
    );
  }

  /** Other services cache the unread count. */
  private expireCaches(tx: EntityManager, userId: string): Promise<void> {
    return this.outbox.add(tx, cacheExpired, userId, { userId });
  }
}

/** A replica of the previous version erases accounts without knowing this table. */
export const forgetErased = (tx: EntityManager) =>
  tx.query('DELETE FROM notifications n USING recipients r WHERE r.id = n.user_id AND r.erased_at IS NOT NULL');

/** Serialises adding and erasing: what is added while an account is being erased must not stay. */
const lock = (tx: EntityManager, userId: string) =>
  tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('feed ' || $1, 0))`, [userId]);
