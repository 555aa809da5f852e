import { Module } from '@nestjs/common';
import { ListsModule } from '../lists/lists.module.js';
import { UsersModule } from '../users/users.module.js';
import { ExpireOnCacheExpired } from './expire.on-cache-expired.js';
import { NotificationsClient } from './notifications.client.js';
import { OverviewCache } from './overview.cache.js';
import { OverviewController } from './overview.controller.js';
import { OverviewService } from './overview.service.js';

@Module({
  imports: [ListsModule, UsersModule],
  controllers: [OverviewController, ExpireOnCacheExpired],
  providers: [OverviewService, OverviewCache, NotificationsClient],
})
export class OverviewModule {}
