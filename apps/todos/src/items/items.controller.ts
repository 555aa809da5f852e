import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { CurrentUser, type TokenUser } from '#libs/auth';
import { badCursor, Feature, IdempotencyKey, idParam, IfMatch, type Once, Operation, type Page } from '#libs/http';
import { listNotFound } from '../lists/lists.errors.js';
import { afterNotInList, itemIdTaken, itemNameTaken, itemNotFound, tooManyItems } from './items.errors.js';
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

@Feature('items', 'What is in a list')
@Controller()
export class ItemsController {
  constructor(private readonly items: ItemsService) {}

  @Post('lists/:listId/items')
  @Operation({
    summary: 'Add one item, or up to 100',
    description: 'All of an array or none; new items stand at the end of the list, in the order of the array.',
    returns: oneOrManyItems,
    location: '/api/v1/items/',
    problems: [listNotFound, itemNameTaken, itemIdTaken, tooManyItems],
  })
  createItems(
    @CurrentUser() user: TokenUser,
    @Param('listId', { schema: idParam }) listId: string,
    @Body({ schema: newItems }) input: NewItem | NewItem[],
    @IdempotencyKey() once: Once,
  ): Promise<ItemView | ItemView[]> {
    return this.items.create(user.id, listId, input, once);
  }

  @Get('lists/:listId/items')
  @Operation({
    summary: 'List the items of a list',
    description: 'Filtered, sorted, and as pages.',
    returns: itemPage,
    problems: [listNotFound, badCursor],
  })
  getItems(
    @CurrentUser() user: TokenUser,
    @Param('listId', { schema: idParam }) listId: string,
    @Query({ schema: itemsQuery }) query: ItemsQuery,
  ): Promise<Page<ItemView>> {
    return this.items.page(user.id, listId, query);
  }

  @Post('lists/:listId/items/clear-completed')
  @Operation({
    summary: 'Delete the completed items of a list',
    description: 'Says how many there were.',
    returns: clearedItems,
    problems: [listNotFound],
  })
  clearCompletedItems(
    @CurrentUser() user: TokenUser,
    @Param('listId', { schema: idParam }) listId: string,
    @IdempotencyKey() once: Once,
  ): Promise<ClearedItems> {
    return this.items.clearCompleted(user.id, listId, once);
  }

  @Get('items/:id')
  @Operation({
    summary: 'Show an item',
    description: 'An item of one of the lists of the caller.',
    returns: itemView,
    problems: [itemNotFound],
  })
  getItem(@CurrentUser() user: TokenUser, @Param('id', { schema: idParam }) id: string): Promise<ItemView> {
    return this.items.get(user.id, id);
  }

  @Patch('items/:id')
  @Operation({
    summary: 'Change an item',
    description: 'What is left out stays (RFC 7396).',
    returns: itemView,
    problems: [itemNotFound, itemNameTaken],
  })
  updateItem(
    @CurrentUser() user: TokenUser,
    @Param('id', { schema: idParam }) id: string,
    @Body({ schema: itemPatch }) patch: ItemPatch,
    @IfMatch() expected: number | undefined,
  ): Promise<ItemView> {
    return this.items.update(user.id, id, patch, expected);
  }

  @Post('items/:id/move')
  @Operation({
    summary: 'Move an item within its list',
    description: 'Behind another item, or to the top.',
    returns: itemView,
    problems: [itemNotFound, afterNotInList],
  })
  moveItem(
    @CurrentUser() user: TokenUser,
    @Param('id', { schema: idParam }) id: string,
    @Body({ schema: itemMove }) { after }: ItemMove,
    @IdempotencyKey() once: Once,
  ): Promise<ItemView> {
    return this.items.move(user.id, id, after, once);
  }

  @Delete('items/:id')
  @Operation({
    summary: 'Delete an item',
    description: 'It cannot be brought back.',
    problems: [itemNotFound],
  })
  deleteItem(
    @CurrentUser() user: TokenUser,
    @Param('id', { schema: idParam }) id: string,
    @IfMatch() expected: number | undefined,
  ): Promise<void> {
    return this.items.delete(user.id, id, expected);
  }
}
