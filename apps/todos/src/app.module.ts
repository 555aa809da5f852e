import type { DynamicModule } from '@nestjs/common';
import { AuthModule } from '#libs/auth';
import { MessagingModule } from '#libs/messaging';
import { CONFIG, DatabaseModule, HealthModule } from '#libs/service';
import type { Config } from './config.js';
import { database } from './database.js';
import { Housekeeping } from './housekeeping.js';
import { ItemsModule } from './items/items.module.js';
import { ListsModule } from './lists/lists.module.js';
import { PeopleModule } from './people/people.module.js';

class ConfigModule {}

export class AppModule {}

/** The whole service: what `main.js` runs and tests start. */
export function createAppModule(config: Config): DynamicModule {
  const settings: DynamicModule = {
    module: ConfigModule,
    global: true,
    providers: [{ provide: CONFIG, useValue: config }],
    exports: [CONFIG],
  };
  return {
    module: AppModule,
    imports: [
      settings,
      HealthModule,
      DatabaseModule.forRoot(database),
      MessagingModule.forRoot({ group: 'todos' }),
      AuthModule.forRoot(),
      PeopleModule,
      ListsModule,
      ItemsModule,
    ],
    providers: [Housekeeping],
  };
}
