import { Module } from '@nestjs/common';
import { AddWelcomeOnUserRegistered } from './add-welcome.on-user-registered.js';
import { FeedController } from './feed.controller.js';
import { Feed } from './feed.service.js';

@Module({ controllers: [FeedController, AddWelcomeOnUserRegistered], providers: [Feed], exports: [Feed] })
export class FeedModule {}
