import { z } from 'zod';
import { authSettings } from '#libs/auth/setup';
import { messagingSettings } from '#libs/messaging/setup';
import { type ConfigOf, databaseSettings, duration, serviceSettings, setting } from '#libs/service/setup';

const length = z.coerce.number().int().min(1).max(500);

export const settings = {
  ...serviceSettings,
  ...databaseSettings,
  ...messagingSettings,
  ...authSettings,
  LIST_NAME_MAX: setting('Longest name of a list, in characters', length, { default: '25' }),
  ITEM_NAME_MAX: setting('Longest name of an item, in characters', length, { default: '50' }),
  CHANGES_KEPT: setting('How long changes are kept for clients that ask what changed since their token', duration, {
    default: '30d',
  }),
  USERS_GRPC_URL: setting(
    'Where users answers gRPC (users.v1), as host:port; asked about somebody whose copy has not arrived yet',
    z.string().regex(/^[^\s/]+:\d+$/, 'expected host:port'),
    { default: 'users:50051' },
  ),
  NOTIFICATIONS_URL: setting('Where notifications answers HTTP; asked how much the caller has not read', z.url(), {
    default: 'http://notifications:8080',
  }),
  OVERVIEW_CACHE_BYTES: setting(
    'Memory for what overviews take from other services, about, in bytes; 0 asks them every time',
    z.coerce.number().int().min(0).max(1_000_000_000),
    { default: '8000000' },
  ),
  OVERVIEW_CACHE_MAX_AGE: setting(
    'How long that is used if nobody says that it has changed; a change is usually known within milliseconds',
    duration,
    { default: '30s' },
  ),
  GRPC_TLS_CA_PATH: setting(
    'PEM file with the authority of the users service; with it the calls are encrypted',
    z.string().optional(),
  ),
  GRPC_TLS_CERT_PATH: setting(
    'PEM file with the certificate that this service shows for mutual TLS',
    z.string().optional(),
  ),
  GRPC_TLS_KEY_PATH: setting('PEM file with the private key of that certificate', z.string().optional()),
};

export type Config = ConfigOf<typeof settings>;
