import { Module } from '@nestjs/common';
import { DeliveriesController } from './deliveries.controller.js';
import { DeliveryMetrics } from './delivery-metrics.js';
import { DeliveryQueue } from './delivery-queue.js';

@Module({
  controllers: [DeliveriesController],
  providers: [DeliveryQueue, DeliveryMetrics],
  exports: [DeliveryQueue, DeliveryMetrics],
})
export class DeliveriesModule {}
