import { Module } from '@nestjs/common';
import { PeopleModule } from '../people/people.module.js';
import { ListsController } from './lists.controller.js';
import { ListsService } from './lists.service.js';

@Module({ imports: [PeopleModule], controllers: [ListsController], providers: [ListsService] })
export class ListsModule {}
