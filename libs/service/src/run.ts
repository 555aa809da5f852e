import { Logger } from '@nestjs/common';
import { createApp, type Service } from './app.js';
import { CommandError, runCommand } from './command.js';
import type { DatabaseConfig } from './data-source.js';
import { installDraining } from './drain.js';
import { serveHttps } from './https.js';
import { createLogger } from './logger.js';
import { serveMetrics } from './metrics.js';
import { migrate } from './schema-version.js';
import type { serviceSettings } from './service.settings.js';
import { type ConfigOf, loadSettings, type Settings, SettingsError } from './settings.js';
import { startTelemetry } from './telemetry.js';
import { version } from './version.js';

/** sysexits.h: EX_USAGE and EX_CONFIG, where starting again will not help. */
const EXIT = { failed: 1, usage: 64, config: 78 };

/**
 * Runs a service from its settings to its last answer: `main.js` serves, `main.js migrate` brings the database's schema up to
 * date and ends, as does every command of the service. Wrong settings end the process with 78 and one message that lists all faults.
 */
export async function runService<S extends Settings>(service: Service<S>): Promise<void> {
  const config = settingsOrExit<S & typeof serviceSettings>(service.settings);
  Logger.overrideLogger(createLogger(service.name, config.LOG_LEVEL as string));
  // Node itself would print the error with all that libraries hung on it.
  process.on('uncaughtException', endWith);
  const [command, ...args] = process.argv.slice(2);
  if (command === 'migrate') return migrate(service.database, config as unknown as DatabaseConfig).catch(endWith);
  if (command !== undefined) return operate(service, config as ConfigOf<S>, command, args).catch(endWith);
  const stopTelemetry = await startTelemetry(service.name);
  await serve(service, config as ConfigOf<S>, config as ConfigOf<typeof serviceSettings>, stopTelemetry).catch(endWith);
}

async function operate<S extends Settings>(
  { commands = {}, database }: Service<S>,
  config: ConfigOf<S>,
  name: string,
  args: string[],
): Promise<void> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined || args.length !== command.parameters.length) {
    const known = Object.entries(commands).map(([known, { parameters }]) => [known, ...parameters].join(' '));
    const problem =
      command === undefined
        ? `unknown command "${name}"`
        : `${name} takes ${command.parameters.join(' ') || 'no argument'}`;
    process.stderr.write(`${problem}: use no argument to serve, or ${['migrate', ...known].join(', ')}\n`);
    process.exit(EXIT.usage);
  }
  process.stdout.write(`${await runCommand(command, database, config, args)}\n`);
}

async function serve<S extends Settings>(
  service: Service<S>,
  config: ConfigOf<S>,
  common: ConfigOf<typeof serviceSettings>,
  stopTelemetry: () => Promise<void>,
): Promise<void> {
  const { PORT, METRICS_PORT, LISTEN_ADDRESS, DRAIN_DELAY } = common;
  const app = await createApp(service, config);
  installDraining(app, DRAIN_DELAY, stopTelemetry);
  const metrics = await serveMetrics(service.name, METRICS_PORT, LISTEN_ADDRESS);
  await app.startAllMicroservices();
  await app.listen(PORT, LISTEN_ADDRESS);
  await serveHttps(app, common);
  app.getHttpServer().once('close', () => metrics.close());
  new Logger('Service').log(`${service.name} ${version} serves on port ${PORT}, metrics on ${METRICS_PORT}`);
}

function settingsOrExit<S extends Settings>(settings: S): ConfigOf<S> {
  try {
    return loadSettings(settings);
  } catch (error) {
    return endWith(error);
  }
}

// A setting can also prove wrong later, when it is used for the first time: a secret that does not fit the data.
function endWith(error: unknown): never {
  if (error instanceof SettingsError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT.config);
  }
  if (error instanceof CommandError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT.failed);
  }
  new Logger('Service').fatal(error);
  process.exit(EXIT.failed);
}
