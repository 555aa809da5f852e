import { runService } from '#libs/service/setup';
import { notifications } from './service.js';

await runService(notifications);
