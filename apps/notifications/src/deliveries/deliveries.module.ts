import { Module } from '@nestjs/common';
import { DeliveriesController } from './deliveries.controller.js';
import { DeliveryMetrics } from './delivery-metrics.js';
import { DeliveryQueue } from './delivery-queue.js';
import { DeliveryRecorder } from './delivery-recorder.js';

@Module({
  controllers: [DeliveriesController],
  providers: [DeliveryQueue, DeliveryRecorder, DeliveryMetrics],
  exports: [DeliveryQueue, DeliveryRecorder, DeliveryMetrics],
})
export class DeliveriesModule {}
