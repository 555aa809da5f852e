import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { ListsController } from './lists.controller.js';
import { ListsService } from './lists.service.js';

@Module({ imports: [UsersModule], controllers: [ListsController], providers: [ListsService], exports: [ListsService] })
export class ListsModule {}
