import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { unavailable } from '#libs/http';
import { ListsService } from '../lists/lists.service.js';
import type { User } from '../users/user.entity.js';
import { UsersClient } from '../users/users.client.js';
import { cacheStatusOf, OverviewCache } from './overview.cache.js';
import { NotificationsClient } from './notifications.client.js';
import { type Overview, type Profile, toOverview } from './overview.schemas.js';

/** Time limit of other services' parts, in milliseconds: a response takes less than 300 whatever they do. */
const LIMIT = { lists: 1000, parts: 250 };

@Injectable()
export class OverviewService {
  constructor(
    private readonly lists: ListsService,
    private readonly users: UsersClient,
    private readonly notifications: NotificationsClient,
    private readonly cache: OverviewCache,
  ) {}

  /**
   * Lists are never cached, so that they show the caller's last write on any replica; the parts of other services may be.
   * @throws Problem 503 without the lists; anything else may be missing.
   */
  async get(userId: string, request: FastifyRequest): Promise<{ overview: Overview; cacheStatus: string }> {
    const anew = /\bno-(cache|store)\b/.test(request.headers['cache-control'] ?? '');
    const profile = this.cache.get('profile', userId, () => this.users.getUser(userId).then(toProfile), anew);
    const unread = this.cache.get('notifications', userId, () => this.notifications.unread(request), anew);
    const [lists, whose, notifications] = await Promise.all([
      within(LIMIT.lists, this.lists.firstPage(userId)),
      orNull(profile.value),
      orNull(unread.value),
    ]);
    if (lists === LATE) throw unavailable('The database');
    return {
      overview: toOverview({ profile: whose, lists, notifications }),
      cacheStatus: cacheStatusOf(profile.outcome, unread.outcome),
    };
  }
}

const toProfile = (user: User | undefined): Profile | null =>
  user ? { id: user.id, email: user.email, firstName: user.firstName, lastName: user.lastName } : null;

const LATE = Symbol('late');

function within<T>(limit: number, work: Promise<T>): Promise<T | typeof LATE> {
  let timer: NodeJS.Timeout;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), limit);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

// Why a part is missing is logged where it is asked for.
const orNull = <T>(work: Promise<T>): Promise<T | null> =>
  within(LIMIT.parts, work).then(
    (value) => (value === LATE ? null : value),
    () => null,
  );
