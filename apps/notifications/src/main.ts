import { runService } from '#libs/service';
import { notifications } from './service.js';

await runService(notifications);
