import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { CurrentUser, type TokenUser } from '#libs/auth';
import { type Page, pageOf, pageQuery } from '#libs/http';
import { type DeliveryView, deliveryView } from './deliveries.schemas.js';
import { DeliveryQueue } from './delivery-queue.js';

@ApiTags('deliveries')
@ApiBearerAuth()
@Controller('notifications/deliveries')
export class DeliveriesController {
  constructor(private readonly deliveries: DeliveryQueue) {}

  @Get()
  @ApiOperation({ summary: 'The mails to the caller and what became of them, newest first' })
  @ApiResponse({ status: 200, standardSchema: pageOf(deliveryView) })
  list(
    @CurrentUser() user: TokenUser,
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
  ): Promise<Page<DeliveryView>> {
    return this.deliveries.list(user.id, query);
  }
}
