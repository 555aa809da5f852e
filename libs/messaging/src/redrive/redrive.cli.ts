import { parseArgs } from 'node:util';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { loadSettings, SettingsError } from '#libs/service';
import { createKafka } from '../kafka/kafka.js';
import { messagingSettings } from '../shared/messaging.settings.js';
import { redrive } from './redrive.js';
import { FAILURE } from '../receive/routes.js';
import { TopicNames } from '../kafka/topics.js';

const USAGE = `Sends the dead letters of a service back to it, once the reason for their failure is mended.

  npm run redrive -- --group <service> [--limit <number>] [--dry-run]

  --group    the service whose dead letters are meant, for example todos
  --limit    send at most so many
  --dry-run  list what would be sent, and why it failed; send nothing
  --help     this text

Settings, from the environment: KAFKA_BROKERS (required), KAFKA_TLS, KAFKA_CA_FILE_PATH, KAFKA_USERNAME, KAFKA_PASSWORD,
KAFKA_SASL_MECHANISM, TOPIC_PREFIX. Exit code: 0 done, 1 failed, 64 wrong arguments, 78 wrong settings.
`;

/** sysexits.h: EX_USAGE and EX_CONFIG. */
const EXIT = { failed: 1, usage: 64, config: 78 };

function leave(code: number, message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        group: { type: 'string' },
        limit: { type: 'string' },
        'dry-run': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    const limit = values.limit === undefined ? undefined : Number(values.limit);
    if (!values.group) throw new Error('--group is required');
    if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
      throw new Error('--limit takes a whole number above 0');
    return { group: values.group, limit, dryRun: values['dry-run'] ?? false };
  } catch (error) {
    return leave(EXIT.usage, `${(error as Error).message}\n\n${USAGE}`);
  }
}

function readSettings() {
  try {
    return loadSettings(messagingSettings);
  } catch (error) {
    if (error instanceof SettingsError) return leave(EXIT.config, error.message);
    throw error;
  }
}

async function main(): Promise<void> {
  const { group, limit, dryRun } = readArguments();
  const config = readSettings();
  Logger.overrideLogger(new ConsoleLogger({ logLevels: ['error', 'warn'] }));
  const names = new TopicNames(config.TOPIC_PREFIX, group, config.EVENT_RETRY_DELAYS.length);
  try {
    const count = await redrive(createKafka(config, `${group}-redrive`), names, {
      limit,
      dryRun,
      onMessage: ({ key, headers }) =>
        process.stdout.write(
          `${headers.ce_type ?? 'no event'} ${headers.ce_id ?? ''} key ${key}: ${headers[FAILURE.reason] ?? ''}\n`,
        ),
    });
    process.stdout.write(
      `${count} dead letter${count === 1 ? '' : 's'} ${dryRun ? 'would be sent' : 'sent'} back to ${group}\n`,
    );
  } catch (error) {
    leave(EXIT.failed, `redrive failed: ${(error as Error).message}`);
  }
}

await main();
