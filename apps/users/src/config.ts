import { z } from 'zod';
import { authSettings } from '#libs/auth/setup';
import { messagingSettings } from '#libs/messaging/setup';
import {
  commaSeparated,
  type ConfigOf,
  databaseSettings,
  duration,
  port,
  rate,
  serviceSettings,
  setting,
} from '#libs/service/setup';

// This service validates its tokens with the keys in its database, so it needs no JWKS_URL.
const { TOKEN_ISSUER, TOKEN_AUDIENCE } = authSettings;

const lifetime = (least: number, most: number, range: string) =>
  duration.refine((value) => value >= least && value <= most, `expected ${range}`);

export const settings = {
  ...serviceSettings,
  ...databaseSettings,
  ...messagingSettings,
  TOKEN_ISSUER,
  TOKEN_AUDIENCE,
  TOKEN_SECRET: setting(
    'Encrypts the signing keys in the database and authenticates refresh tokens; the same for all replicas. Several, comma ' +
      'separated, while one is replaced: the first is used, all are accepted',
    commaSeparated.pipe(z.array(z.string().min(32, 'expected at least 32 characters')).min(1).max(5)),
    { secret: true },
  ),
  ACCESS_TOKEN_TTL: setting('How long an access token lives', lifetime(10_000, 3_600_000, '10s to 1h'), {
    default: '5m',
  }),
  REFRESH_TOKEN_TTL: setting(
    'How long a session lives after its last refresh',
    lifetime(60_000, 366 * 86_400_000, '1m to 366d'),
    { default: '30d' },
  ),
  SESSIONS_PER_ACCOUNT: setting(
    'Sessions that an account can have at once; one more ends the one that was longest without a refresh',
    z.coerce.number().int().min(1).max(10_000),
    { default: '100' },
  ),
  PASSWORD_MIN_LENGTH: setting('Shortest password that is accepted', z.coerce.number().int().min(8).max(128), {
    default: '12',
  }),
  HASH_CONCURRENCY: setting(
    'Passwords hashed at once, 19 MiB of memory each; more than 4 also need UV_THREADPOOL_SIZE',
    z.coerce.number().int().min(1).max(64),
    { default: '4' },
  ),
  HASH_QUEUE: setting(
    'Logins and registrations that wait for their turn to be hashed; beyond it those are refused whose network or account has ' +
      'the most in it. Known devices have a queue of their own of the same length',
    z.coerce.number().int().min(16).max(10_000),
    { default: '256' },
  ),
  HASH_MAX_WAIT: setting('How long a login or registration waits for its turn before it is refused', duration, {
    default: '15s',
  }),
  DEVICE_TTL: setting(
    'How long after its last login a device goes before strangers at the next login to the same account',
    lifetime(60_000, 400 * 86_400_000, '1m to 400d'),
    { default: '180d' },
  ),
  DEVICE_FAILURES: setting(
    'Wrong passwords within 15 minutes, over all replicas, after which a known device is one of the strangers',
    z.coerce.number().int().min(1).max(1000),
    { default: '10' },
  ),
  LOGIN_FAILURES_PER_ACCOUNT: setting(
    'Wrong passwords, over all replicas, after which strangers cannot log in to an account until the time is over: so many/in which time',
    rate,
    { default: '30/15m' },
  ),
  LOGIN_FAILURES_PER_NETWORK: setting(
    'Wrong passwords, over all replicas, after which strangers from one network (IPv4 /24, IPv6 /56) cannot log in until the time ' +
      'is over. Lower it where the ingress sees the addresses of its clients',
    rate,
    { default: '10000/1h' },
  ),
  REGISTRATIONS_PER_NETWORK: setting(
    'Registrations from one network in a time, over all replicas. Lower it where the ingress sees the addresses of its clients',
    rate,
    { default: '10000/1h' },
  ),
  MAILS_PER_ADDRESS: setting(
    'Mails a day that strangers can have sent to one address; a registration beyond is welcomed by none',
    z.coerce.number().int().min(1).max(1_000_000),
    { default: '5' },
  ),
  MAILS_PER_NETWORK: setting(
    'Mails a day that one network (IPv4 /24, IPv6 /56) can have sent by registering. Lower it where the ingress sees the ' +
      'addresses of its clients',
    z.coerce.number().int().min(1).max(10_000_000),
    { default: '10000' },
  ),
  PUBLIC_URL: setting(
    'Address under which browsers reach the platform; stands in the OpenID configuration',
    z.url().transform((url) => url.replace(/\/+$/, '')),
    { default: 'http://127.0.0.1:3000' },
  ),
  GRPC_PORT: setting('Port of gRPC users.v1', port, { default: '50051' }),
  GRPC_TLS_CERT_PATH: setting(
    'PEM file with the certificate of the gRPC server; with it and its key, callers must use TLS',
    z.string().optional(),
  ),
  GRPC_TLS_KEY_PATH: setting('PEM file with the private key of that certificate', z.string().optional()),
  GRPC_TLS_CA_PATH: setting(
    'PEM file with the authority of the callers; with it, callers must show a certificate (mutual TLS)',
    z.string().optional(),
  ),
  GRPC_ALLOWED_CALLERS: setting(
    'DNS names, comma separated, of which the certificate of a gRPC caller must have one; none lets in every certificate of ' +
      'GRPC_TLS_CA_PATH',
    commaSeparated,
    { default: '' },
  ),
  GRPC_MAX_CONNECTION_AGE: setting(
    'Age at which gRPC connections are ended, so that callers spread over all replicas again',
    duration,
    { default: '20s' },
  ),
};

export type Config = ConfigOf<typeof settings>;
