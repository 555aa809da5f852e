import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentUser, type TokenUser } from '#libs/auth';
import { Cached, Feature, Operation, PRIVATE } from '#libs/http';
import {
  type CompactOverview,
  oneOfTheViews,
  type Overview,
  type OverviewQuery,
  overviewQuery,
  toCompact,
} from './overview.schemas.js';
import { OverviewService } from './overview.service.js';

@Feature('overview', 'What a start page shows, in one answer')
@Controller('overview')
export class OverviewController {
  constructor(private readonly overview: OverviewService) {}

  @Get()
  @Cached(PRIVATE)
  @Operation({
    summary: 'Show profile, lists and unread notifications',
    description:
      'The first 200 lists: `GET /api/v1/lists` goes on from `nextCursor`. They are there, or the answer is 503. What ' +
      'another service does not give in time is null and named in `degraded`. What it gave before is used again until it has ' +
      'changed; `Cache-Status` (RFC 9211) says so, and `Cache-Control: no-cache` asks anew.',
    returns: oneOfTheViews,
    headers: ['Cache-Status'],
  })
  async getOverview(
    @CurrentUser() user: TokenUser,
    @Query({ schema: overviewQuery }) { view }: OverviewQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Overview | CompactOverview> {
    const { overview, cacheStatus } = await this.overview.get(user.id, request);
    reply.header('Cache-Status', cacheStatus);
    return view === 'compact' ? toCompact(overview) : overview;
  }
}
