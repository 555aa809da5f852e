import { runService } from '#libs/service/setup';
import { users } from './service.js';

await runService(users);
