import { Controller } from '@nestjs/common';
import { cacheExpired, type CacheExpired } from '#libs/contracts';
import { OnEvent } from '#libs/messaging';
import { OverviewCache } from './overview.cache.js';

@Controller()
export class ExpireOnCacheExpired {
  constructor(private readonly cache: OverviewCache) {}

  @OnEvent(cacheExpired, { broadcast: { last: 0 } })
  handle({ userId }: CacheExpired): void {
    this.cache.expire(userId);
  }
}
