import { runService } from '#libs/service/setup';
import { todos } from './service.js';

await runService(todos);
