import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBearerAuth, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, type TokenUser } from '#libs/auth';
import { IdempotencyKey, idParam, IfMatch, type Once, type Page } from '#libs/http';
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

@ApiTags('lists')
@ApiBearerAuth()
@Controller('lists')
export class ListsController {
  constructor(private readonly lists: ListsService) {}

  @Post()
  @RouteConfig({ location: '/api/v1/lists/' })
  @ApiResponse({ status: 201, standardSchema: listView })
  createList(
    @CurrentUser() user: TokenUser,
    @Body({ schema: newList }) input: NewList,
    @IdempotencyKey() once: Once,
  ): Promise<ListView> {
    return this.lists.create(user.id, input, once);
  }

  @Get()
  @ApiResponse({ status: 200, standardSchema: listPage })
  getLists(@CurrentUser() user: TokenUser, @Query({ schema: listsQuery }) query: ListsQuery): Promise<Page<ListView>> {
    return this.lists.page(user.id, query);
  }

  @Get(':id')
  @ApiResponse({ status: 200, standardSchema: listView })
  getList(@CurrentUser() user: TokenUser, @Param('id', { schema: idParam }) id: string): Promise<ListView> {
    return this.lists.get(user.id, id);
  }

  @Patch(':id')
  @ApiResponse({ status: 200, standardSchema: listView })
  updateList(
    @CurrentUser() user: TokenUser,
    @Param('id', { schema: idParam }) id: string,
    @Body({ schema: listPatch }) patch: ListPatch,
    @IfMatch() expected: number | undefined,
  ): Promise<ListView> {
    return this.lists.update(user.id, id, patch, expected);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Deleted with its items' })
  deleteList(
    @CurrentUser() user: TokenUser,
    @Param('id', { schema: idParam }) id: string,
    @IfMatch() expected: number | undefined,
  ): Promise<void> {
    return this.lists.delete(user.id, id, expected);
  }
}
