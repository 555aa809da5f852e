import { Module } from '@nestjs/common';
import { ListsModule } from '../lists/lists.module.js';
import { UsersModule } from '../users/users.module.js';
import { NotificationsClient } from './notifications.client.js';
import { OverviewController } from './overview.controller.js';
import { OverviewService } from './overview.service.js';

@Module({
  imports: [ListsModule, UsersModule],
  controllers: [OverviewController],
  providers: [OverviewService, NotificationsClient],
})
export class OverviewModule {}
