import { Module } from '@nestjs/common';
import { DeliveriesModule } from '../deliveries/deliveries.module.js';
import { FeedModule } from '../feed/feed.module.js';
import { CopyUserOnUserChanged } from './copy-user.on-user-changed.js';
import { EraseUserOnUserErased } from './erase-user.on-user-erased.js';
import { Recipients } from './recipients.service.js';

@Module({
  imports: [DeliveriesModule, FeedModule],
  controllers: [CopyUserOnUserChanged, EraseUserOnUserErased],
  providers: [Recipients],
  exports: [Recipients],
})
export class RecipientsModule {}
