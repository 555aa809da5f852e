import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { CurrentUser, type TokenUser } from '#libs/auth';
import { badCursor, Feature, IdempotencyKey, idParam, IfMatch, type Once, Operation, type Page } from '#libs/http';
import { accountUnknown } from '../users/users.errors.js';
import { listIdTaken, listNameTaken, listNotFound } from './lists.errors.js';
import {
  listPage,
  type ListPatch,
  listPatch,
  type ListsQuery,
  listsQuery,
  type ListView,
  listView,
  type NewList,
  newList,
} from './lists.schemas.js';
import { ListsService } from './lists.service.js';

@Feature('lists', 'The lists of the caller')
@Controller('lists')
export class ListsController {
  constructor(private readonly lists: ListsService) {}

  @Post()
  @Operation({
    summary: 'Create a list',
    description: 'Names are unique among the lists of their owner.',
    returns: listView,
    location: '/api/v1/lists/',
    problems: [listNameTaken, listIdTaken, accountUnknown],
  })
  createList(
    @CurrentUser() user: TokenUser,
    @Body({ schema: newList }) input: NewList,
    @IdempotencyKey() once: Once,
  ): Promise<ListView> {
    return this.lists.create(user.id, input, once);
  }

  @Get()
  @Operation({
    summary: 'List the lists',
    description: 'In the order of their creation, as pages.',
    returns: listPage,
    problems: [badCursor],
  })
  getLists(@CurrentUser() user: TokenUser, @Query({ schema: listsQuery }) query: ListsQuery): Promise<Page<ListView>> {
    return this.lists.page(user.id, query);
  }

  @Get(':id')
  @Operation({
    summary: 'Show a list',
    description: 'Also says how many of its items are open.',
    returns: listView,
    problems: [listNotFound],
  })
  getList(@CurrentUser() user: TokenUser, @Param('id', { schema: idParam }) id: string): Promise<ListView> {
    return this.lists.get(user.id, id);
  }

  @Patch(':id')
  @Operation({
    summary: 'Rename a list',
    description: 'What is left out stays (RFC 7396).',
    returns: listView,
    problems: [listNotFound, listNameTaken],
  })
  updateList(
    @CurrentUser() user: TokenUser,
    @Param('id', { schema: idParam }) id: string,
    @Body({ schema: listPatch }) patch: ListPatch,
    @IfMatch() expected: number | undefined,
  ): Promise<ListView> {
    return this.lists.update(user.id, id, patch, expected);
  }

  @Delete(':id')
  @Operation({
    summary: 'Delete a list',
    description: 'Its items are deleted with it.',
    problems: [listNotFound],
  })
  deleteList(
    @CurrentUser() user: TokenUser,
    @Param('id', { schema: idParam }) id: string,
    @IfMatch() expected: number | undefined,
  ): Promise<void> {
    return this.lists.delete(user.id, id, expected);
  }
}
