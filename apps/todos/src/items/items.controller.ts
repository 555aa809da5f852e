import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBearerAuth, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, type TokenUser } from '#libs/auth';
import { IdempotencyKey, idParam, IfMatch, type Once, type Page } from '#libs/http';
import {
  type ClearedItems,
  clearedItems,
  type ItemMove,
  itemMove,
  itemPage,
  type ItemPatch,
  itemPatch,
  type ItemsQuery,
  itemsQuery,
  type ItemView,
  itemView,
  type NewItem,
  newItems,
  oneOrManyItems,
} from './items.schemas.js';
import { ItemsService } from './items.service.js';

@ApiTags('items')
@ApiBearerAuth()
@Controller()
export class ItemsController {
  constructor(private readonly items: ItemsService) {}

  @Post('lists/:listId/items')
  @RouteConfig({ location: '/api/v1/items/' })
  @ApiResponse({ status: 201, standardSchema: oneOrManyItems, description: 'An array for an array' })
  createItems(
    @CurrentUser() user: TokenUser,
    @Param('listId', { schema: idParam }) listId: string,
    @Body({ schema: newItems }) input: NewItem | NewItem[],
    @IdempotencyKey() once: Once,
  ): Promise<ItemView | ItemView[]> {
    return this.items.create(user.id, listId, input, once);
  }

  @Get('lists/:listId/items')
  @ApiResponse({ status: 200, standardSchema: itemPage })
  getItems(
    @CurrentUser() user: TokenUser,
    @Param('listId', { schema: idParam }) listId: string,
    @Query({ schema: itemsQuery }) query: ItemsQuery,
  ): Promise<Page<ItemView>> {
    return this.items.page(user.id, listId, query);
  }

  @Post('lists/:listId/items/clear-completed')
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: clearedItems })
  clearCompletedItems(
    @CurrentUser() user: TokenUser,
    @Param('listId', { schema: idParam }) listId: string,
    @IdempotencyKey() once: Once,
  ): Promise<ClearedItems> {
    return this.items.clearCompleted(user.id, listId, once);
  }

  @Get('items/:id')
  @ApiResponse({ status: 200, standardSchema: itemView })
  getItem(@CurrentUser() user: TokenUser, @Param('id', { schema: idParam }) id: string): Promise<ItemView> {
    return this.items.get(user.id, id);
  }

  @Patch('items/:id')
  @ApiResponse({ status: 200, standardSchema: itemView })
  updateItem(
    @CurrentUser() user: TokenUser,
    @Param('id', { schema: idParam }) id: string,
    @Body({ schema: itemPatch }) patch: ItemPatch,
    @IfMatch() expected: number | undefined,
  ): Promise<ItemView> {
    return this.items.update(user.id, id, patch, expected);
  }

  @Post('items/:id/move')
  @HttpCode(200)
  @ApiResponse({ status: 200, standardSchema: itemView })
  moveItem(
    @CurrentUser() user: TokenUser,
    @Param('id', { schema: idParam }) id: string,
    @Body({ schema: itemMove }) { after }: ItemMove,
    @IdempotencyKey() once: Once,
  ): Promise<ItemView> {
    return this.items.move(user.id, id, after, once);
  }

  @Delete('items/:id')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Deleted' })
  deleteItem(
    @CurrentUser() user: TokenUser,
    @Param('id', { schema: idParam }) id: string,
    @IfMatch() expected: number | undefined,
  ): Promise<void> {
    return this.items.delete(user.id, id, expected);
  }
}
