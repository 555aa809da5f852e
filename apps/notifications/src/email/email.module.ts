import { Module } from '@nestjs/common';
import { DeliveriesModule } from '../deliveries/deliveries.module.js';
import { PeopleModule } from '../people/people.module.js';
import { EmailSender } from './email.sender.js';
import { Mailer } from './mailer.js';
import { Outage } from './outage.js';
import { SendWelcomeOnUserRegistered } from './send-welcome.on-user-registered.js';
import { Templates } from './templates.js';

@Module({
  imports: [DeliveriesModule, PeopleModule],
  controllers: [SendWelcomeOnUserRegistered],
  providers: [Mailer, Outage, Templates, EmailSender],
})
export class EmailModule {}
