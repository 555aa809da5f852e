import { Module } from '@nestjs/common';
import { DeliveriesModule } from '../deliveries/deliveries.module.js';
import { RecipientsModule } from '../recipients/recipients.module.js';
import { EmailSender } from './email.sender.js';
import { Mailer } from './mailer.js';
import { Outage } from './outage.js';
import { SendWelcomeOnUserRegistered } from './send-welcome.on-user-registered.js';
import { Templates } from './templates.js';

@Module({
  imports: [DeliveriesModule, RecipientsModule],
  controllers: [SendWelcomeOnUserRegistered],
  providers: [Mailer, Outage, Templates, EmailSender],
})
export class EmailModule {}
