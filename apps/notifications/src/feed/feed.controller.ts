import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { CurrentUser, type TokenUser } from '#libs/auth';
import { badCursor, Feature, IdempotencyKey, idParam, type Once, Operation, type Page, pageQuery } from '#libs/http';
import { notificationNotFound } from './feed.errors.js';
import {
  type MarkedRead,
  markedRead,
  notificationPage,
  type NotificationView,
  notificationView,
  type UnreadCount,
  unreadCount,
} from './feed.schemas.js';
import { Feed } from './feed.service.js';

@Feature('notifications', 'What the caller is told within Tasklane')
@Controller('notifications')
export class FeedController {
  constructor(private readonly feed: Feed) {}

  @Get()
  @Operation({
    summary: 'List the notifications of the caller',
    description: 'The newest first, as pages.',
    returns: notificationPage,
    problems: [badCursor],
  })
  getNotifications(
    @CurrentUser() user: TokenUser,
    @Query({ schema: pageQuery }) query: z.infer<typeof pageQuery>,
  ): Promise<Page<NotificationView>> {
    return this.feed.page(user.id, query);
  }

  @Get('unread-count')
  @Operation({
    summary: 'Count the unread notifications',
    description: 'Of the caller, for a badge.',
    returns: unreadCount,
  })
  getUnreadCount(@CurrentUser() user: TokenUser): Promise<UnreadCount> {
    return this.feed.unread(user.id);
  }

  @Post(':id/read')
  @Operation({
    summary: 'Mark a notification as read',
    description: 'One that was read before keeps its time.',
    returns: notificationView,
    problems: [notificationNotFound],
  })
  readNotification(
    @CurrentUser() user: TokenUser,
    @Param('id', { schema: idParam }) id: string,
    @IdempotencyKey() once: Once,
  ): Promise<NotificationView> {
    return this.feed.read(user.id, id, once);
  }

  @Post('read-all')
  @Operation({
    summary: 'Mark all notifications as read',
    description: 'Says how many were unread.',
    returns: markedRead,
  })
  readAllNotifications(@CurrentUser() user: TokenUser, @IdempotencyKey() once: Once): Promise<MarkedRead> {
    return this.feed.readAll(user.id, once);
  }
}
