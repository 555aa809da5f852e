import { runService } from '#libs/service';
import { users } from './service.js';

await runService(users);
