import { commaSeparated, type ConfigOf, type databaseSettings, duration, setting } from '#libs/service/setup';
import { z } from 'zod';

const yesOrNo = z.enum(['true', 'false']).transform((text) => text === 'true');

const durations = commaSeparated.pipe(
  z.array(duration).min(1, 'expected at least one duration').max(9, 'expected at most nine durations'),
);

export const messagingSettings = {
  KAFKA_BROKERS: setting(
    'Bootstrap brokers, as host:port,host:port',
    commaSeparated.pipe(z.array(z.string().regex(/^[^\s:]+:\d+$/, 'expected host:port')).min(1, 'expected host:port')),
  ),
  KAFKA_TLS: setting('Whether connections to Kafka are encrypted', yesOrNo, { default: 'false' }),
  KAFKA_CA_FILE_PATH: setting(
    "Path of a PEM file with the authority of the brokers' certificates; without it the system's authorities are trusted",
    z.string().optional(),
  ),
  KAFKA_USERNAME: setting('User for SASL; without it there is no authentication', z.string().optional()),
  KAFKA_PASSWORD: setting('Password for SASL', z.string().optional(), { secret: true }),
  KAFKA_SASL_MECHANISM: setting('SASL mechanism', z.enum(['plain', 'scram-sha-256', 'scram-sha-512']), {
    default: 'scram-sha-512',
  }),
  TOPIC_PREFIX: setting(
    'First part of the names of all topics and consumer groups',
    z.string().regex(/^[a-zA-Z0-9._-]{1,100}$/, 'expected letters, digits, dots, dashes and underscores'),
    { default: 'tasklane' },
  ),
  TOPIC_PARTITIONS: setting(
    'Partitions of each topic that is created; topics that exist keep theirs',
    z.coerce.number().int().min(1).max(1000),
    { default: '6' },
  ),
  REPLY_TOPIC_PREFIXES: setting(
    'Prefixes of the topics to which replies may be sent, comma separated; <TOPIC_PREFIX>.….replies is always allowed',
    commaSeparated,
    { default: '' },
  ),
  EVENT_RETRY_DELAYS: setting(
    'Delays before each retry of an event that could not be handled; after the last it becomes a dead letter',
    durations,
    { default: '5s,1m,10m' },
  ),
  EVENT_STUCK_AFTER: setting(
    'A handler that runs longer, or a consumer that does not fetch for longer while Kafka answers, fails the liveness probe',
    duration,
    { default: '1m' },
  ),
  EVENT_ORDERED_STUCK_AFTER: setting(
    'An ordered event that cannot be handled for longer is parked with the later events of its key; other keys continue',
    duration,
    { default: '5m' },
  ),
};

export type MessagingConfig = ConfigOf<typeof messagingSettings> &
  Pick<ConfigOf<typeof databaseSettings>, 'DATABASE_URL' | 'DATABASE_POOL_SIZE'>;

export type KafkaConfig = Pick<MessagingConfig, Extract<keyof MessagingConfig, `KAFKA_${string}`>>;
