import type { DynamicModule, INestApplication } from '@nestjs/common';
import { AuthModule } from '#libs/auth';
import { forgetIdempotencyKeys } from '#libs/http';
import { EventServer, MessagingModule } from '#libs/messaging';
import { ServiceModule } from '#libs/service';
import type { Config } from './config.js';
import { database } from './database.js';
import { DeliveriesModule } from './deliveries/deliveries.module.js';
import { EmailModule } from './email/email.module.js';
import { FeedModule } from './feed/feed.module.js';
import { forgetErased } from './feed/feed.service.js';
import { RecipientsModule } from './recipients/recipients.module.js';

export class AppModule {}

/** The whole service: what `main.js` runs and tests start. */
export function createAppModule(config: Config): DynamicModule {
  return {
    module: AppModule,
    imports: [
      ServiceModule.forRoot(config, database, async (tx) => {
        await forgetIdempotencyKeys(tx);
        await forgetErased(tx);
      }),
      MessagingModule.forRoot({ group: 'notifications' }),
      AuthModule.forRoot(),
      RecipientsModule,
      DeliveriesModule,
      EmailModule,
      FeedModule,
    ],
  };
}

export const createTransports = (app: INestApplication) => [{ strategy: app.get(EventServer) }];
