import { Controller, Get, Query } from '@nestjs/common';
import type { z } from 'zod';
import { CurrentUser, type TokenUser } from '#libs/auth';
import { badCursor, Feature, Operation, type Page, pageQuery } from '#libs/http';
import { deliveryPage, type DeliveryView } from './deliveries.schemas.js';
import { DeliveryQueue } from './delivery-queue.js';

@Feature('deliveries', 'The mails to the caller')
@Controller('notifications/deliveries')
export class DeliveriesController {
  constructor(private readonly deliveries: DeliveryQueue) {}

  @Get()
  @Operation({
    summary: 'List the mails to the caller',
    description: 'What became of each, the newest first.',
    returns: deliveryPage,
    problems: [badCursor],
  })
  getDeliveries(
    @CurrentUser() user: TokenUser,
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
  ): Promise<Page<DeliveryView>> {
    return this.deliveries.list(user.id, query);
  }
}
