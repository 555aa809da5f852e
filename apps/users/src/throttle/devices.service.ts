import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '#libs/service';
import type { Config } from '../config.js';
import { TokenSecret } from '../keys/token-secret.js';

const COOKIE = 'tasklane-device';

/**
 * Device cookies: who logged in to an account before shows `<expiry>.<nonce>.<mac>` at the next login and need not wait with
 * strangers. It proves nothing else. The mac (HMAC-SHA256, base64url) is over the rest and the account's address.
 * https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
@Injectable()
export class Devices {
  constructor(
    private readonly secret: TokenSecret,
    @Inject(CONFIG) private readonly config: Pick<Config, 'DEVICE_TTL' | 'PUBLIC_URL'>,
  ) {}

  /** The Set-Cookie header that makes the browser a known device of the account. */
  cookieFor(account: string): string {
    const expires = Math.floor((Date.now() + this.config.DEVICE_TTL) / 1000);
    const name = `${expires}.${randomBytes(16).toString('base64url')}`;
    const mac = this.secret.mac('device cookies', macked(name, account)).toString('base64url');
    const secure = this.config.PUBLIC_URL.startsWith('https:') ? '; Secure' : '';
    const maxAge = Math.floor(this.config.DEVICE_TTL / 1000);
    return `${COOKIE}=${name}.${mac}; Path=/api/v1/auth/login; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
  }

  /** Names the device that a Cookie header shows, when it is known to the account. */
  recognise(cookies: string, account: string): string | undefined {
    const [, name, expires, mac] = SHOWN.exec(cookies) ?? [];
    if (name === undefined || Number(expires) * 1000 <= Date.now()) return undefined;
    const shown = Buffer.from(mac!, 'base64url');
    const isOurs = this.secret
      .macs('device cookies', macked(name, account))
      .some((ours) => timingSafeEqual(ours, shown));
    return isOurs ? name : undefined;
  }
}

const SHOWN = new RegExp(String.raw`(?:^|;\s*)${COOKIE}=((\d{1,12})\.[\w-]{22})\.([\w-]{43})(?:;|$)`);

const macked = (name: string, account: string) => Buffer.from(`${name}.${account}`);
