import { IdempotencyKeys1767225600001, IdempotencyOwner1767225650000 } from '#libs/http/setup';
import { messagingMigrations } from '#libs/messaging/setup';
import type { DatabaseOptions } from '#libs/service/setup';
import { Item } from './items/item.entity.js';
import { List } from './lists/list.entity.js';
import { CreatePeople1767225610000 } from './migrations/1767225610000-create-people.js';
import { CreateLists1767225620000 } from './migrations/1767225620000-create-lists.js';
import { CreateItems1767225630000 } from './migrations/1767225630000-create-items.js';
import { CreateChanges1767225660000 } from './migrations/1767225660000-create-changes.js';
import { User } from './users/user.entity.js';

/** The schema of this service. */
export const database: DatabaseOptions = {
  entities: [User, List, Item],
  migrations: [
    ...messagingMigrations,
    IdempotencyKeys1767225600001,
    CreatePeople1767225610000,
    CreateLists1767225620000,
    CreateItems1767225630000,
    IdempotencyOwner1767225650000,
    CreateChanges1767225660000,
  ],
};
