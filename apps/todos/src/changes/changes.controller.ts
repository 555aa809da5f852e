import { Controller, Get, Query } from '@nestjs/common';
import { CurrentUser, type TokenUser } from '#libs/auth';
import { Feature, Operation } from '#libs/http';
import { changeTokenExpired, changeTokenUnknown } from './changes.errors.js';
import { type ChangePage, changePage, type ChangesQuery, changesQuery } from './changes.schemas.js';
import { ChangesService } from './changes.service.js';

@Feature('changes', "What changed in the caller's lists, for clients that keep a copy")
@Controller('changes')
export class ChangesController {
  constructor(private readonly changes: ChangesService) {}

  @Get()
  @Operation({
    summary: 'List what changed since a token',
    description: [
      'In the order in which it was committed: nothing is left out, and nothing comes before a token that was given out already.',
      'Deletions come as changes, too; the items of a deleted list go without a change of their own.',
      'To begin a copy: ask without `since` for a token, read all lists and items, then ask since that token.',
    ].join(' '),
    returns: changePage,
    problems: [changeTokenUnknown, changeTokenExpired],
  })
  getChanges(
    @CurrentUser() user: TokenUser,
    @Query({ schema: changesQuery }) query: ChangesQuery,
  ): Promise<ChangePage> {
    return this.changes.page(user.id, query);
  }
}
