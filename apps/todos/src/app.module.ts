import type { DynamicModule, INestApplication } from '@nestjs/common';
import { AuthModule } from '#libs/auth';
import { forgetIdempotencyKeys } from '#libs/http';
import { EventServer, MessagingModule } from '#libs/messaging';
import { ServiceModule } from '#libs/service';
import { ChangesModule } from './changes/changes.module.js';
import { forgetOldChanges } from './changes/changes.service.js';
import type { Config } from './config.js';
import { database } from './database.js';
import { ItemsModule } from './items/items.module.js';
import { ListsModule } from './lists/lists.module.js';
import { OverviewModule } from './overview/overview.module.js';
import { UsersModule } from './users/users.module.js';

export class AppModule {}

/** The whole service: what `main.js` runs and tests start. */
export function createAppModule(config: Config): DynamicModule {
  return {
    module: AppModule,
    imports: [
      ServiceModule.forRoot(config, database, async (tx) => {
        await forgetIdempotencyKeys(tx);
        await forgetOldChanges(tx, config.CHANGES_KEPT);
      }),
      MessagingModule.forRoot({ group: 'todos' }),
      AuthModule.forRoot(),
      UsersModule,
      ListsModule,
      ItemsModule,
      ChangesModule,
      OverviewModule,
    ],
  };
}

export const createTransports = (app: INestApplication) => [{ strategy: app.get(EventServer) }];
