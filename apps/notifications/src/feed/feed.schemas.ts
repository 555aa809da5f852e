import { z } from 'zod';
import { pageOf } from '#libs/http';

export const kinds = ['welcome'] as const;

export const notificationView = z
  .object({
    id: z.uuid(),
    kind: z.string().describe('What it tells, such as welcome; clients have the words for it'),
    read: z.boolean(),
    readAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({
    id: 'Notification',
    description: 'Something that the caller is told',
    example: {
      id: '01998d33-0000-7000-8000-000000000004',
      kind: 'welcome',
      read: false,
      readAt: null,
      createdAt: '2026-11-01T09:00:00.000Z',
    },
  });
export type NotificationView = z.infer<typeof notificationView>;

export const notificationPage = pageOf('NotificationPage', 'notifications', notificationView);

export const unreadCount = z
  .object({ unread: z.number().int() })
  .meta({ id: 'UnreadCount', description: 'How many notifications of the caller are unread', example: { unread: 1 } });
export type UnreadCount = z.infer<typeof unreadCount>;

export const markedRead = z
  .object({ marked: z.number().int() })
  .meta({ id: 'MarkedRead', description: 'How many were unread before', example: { marked: 1 } });
export type MarkedRead = z.infer<typeof markedRead>;

export interface NotificationRow {
  id: string;
  kind: string;
  created_at: Date;
  read_at: Date | null;
}

export const toNotificationView = (row: NotificationRow): NotificationView => ({
  id: row.id,
  kind: row.kind,
  read: row.read_at !== null,
  readAt: row.read_at?.toISOString() ?? null,
  createdAt: row.created_at.toISOString(),
});
