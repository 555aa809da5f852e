import { z } from 'zod';
import { pageOf } from '#libs/http';

export const deliveryStates = ['pending', 'sent', 'dead', 'cancelled'] as const;

/** A delivery for its recipient: without addresses and replies of mail servers. */
export const deliveryView = z
  .object({
    id: z.uuid(),
    template: z.string().describe('Which mail, such as welcome'),
    state: z.enum(deliveryStates).describe('dead: given up after all attempts; cancelled: the account is gone'),
    attempts: z.number().int(),
    createdAt: z.iso.datetime(),
    sentAt: z.iso.datetime().nullable().describe('When the mail server took it over'),
  })
  .meta({
    id: 'Delivery',
    description: 'A mail to the caller and what became of it',
    example: {
      id: '01998d32-0000-7000-8000-000000000003',
      template: 'welcome',
      state: 'sent',
      attempts: 1,
      createdAt: '2026-11-01T09:00:00.000Z',
      sentAt: '2026-11-01T09:00:00.400Z',
    },
  });
export type DeliveryView = z.infer<typeof deliveryView>;

export const deliveryPage = pageOf('DeliveryPage', 'mails', deliveryView);

export interface DeliveryRow {
  id: string;
  template: string;
  state: (typeof deliveryStates)[number];
  attempts: number;
  created_at: Date;
  sent_at: Date | null;
}

export const toView = (row: DeliveryRow): DeliveryView => ({
  id: row.id,
  template: row.template,
  state: row.state,
  attempts: row.attempts,
  createdAt: row.created_at.toISOString(),
  sentAt: row.sent_at?.toISOString() ?? null,
});

/** Ids are UUIDv7, so their order is the order of creation. */
export const deliveryCursor = z.object({ id: z.uuid() });
