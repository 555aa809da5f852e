import { runService } from '#libs/service';
import { todos } from './service.js';

await runService(todos);
