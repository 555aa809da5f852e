import type { LoggerService } from '@nestjs/common';
import { CommandError, runCommand } from './command.js';
import type { DatabaseConfig } from './data-source.js';
import { createLogger } from './logger.js';
import { migrate } from './schema-version.js';
import type { Service } from './service.js';
import type { serviceSettings } from './service.settings.js';
import { type ConfigOf, loadSettings, type Settings, SettingsError } from './settings.js';
import { startTelemetry } from './telemetry.js';

/** sysexits.h: EX_USAGE and EX_CONFIG, where restarting will not help. */
const EXIT = { failed: 1, usage: 64, config: 78 };

/**
 * Runs a service from reading its settings to shutdown: `main.js` serves, `main.js migrate` brings the database's schema up to
 * date and exits, as does every command of the service. Wrong settings end the process with 78 and one message that lists all errors.
 */
export async function runService<S extends Settings>(service: Service<S>): Promise<void> {
  const config = settingsOrExit<S & typeof serviceSettings>(service.settings);
  const log = createLogger(service.name, config.LOG_LEVEL as string);
  const end = (error: unknown) => endWith(error, log);
  // Node itself would print the error with all properties that libraries attach to it.
  process.on('uncaughtException', end);
  const [command, ...args] = process.argv.slice(2);
  if (command === undefined) await serveTraced(service, config as ConfigOf<S>, log).catch(end);
  else if (command === 'migrate') await migrate(service.database, config as unknown as DatabaseConfig, log).catch(end);
  else await operate(service, config as ConfigOf<S>, log, command, args).catch(end);
}

/** Loads Nest and the app only here: telemetry must instrument what they load, and a migration needs neither. */
async function serveTraced<S extends Settings>(
  service: Service<S>,
  config: ConfigOf<S>,
  log: LoggerService,
): Promise<void> {
  const stopTelemetry = await startTelemetry(service.name);
  const { serve } = await import('./serve.js');
  await serve(service, config, log, stopTelemetry);
}

async function operate<S extends Settings>(
  service: Service<S>,
  config: ConfigOf<S>,
  log: LoggerService,
  name: string,
  args: string[],
): Promise<void> {
  const commands = (await service.commands?.()) ?? {};
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
  process.stdout.write(`${await runCommand(command, service.database, config, log, args)}\n`);
}

function settingsOrExit<S extends Settings>(settings: S): ConfigOf<S> {
  try {
    return loadSettings(settings);
  } catch (error) {
    return endWith(error);
  }
}

// A setting can also turn out wrong on first use: a secret that does not fit the data.
function endWith(error: unknown, log?: LoggerService): never {
  if (error instanceof SettingsError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT.config);
  }
  if (error instanceof CommandError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT.failed);
  }
  log?.fatal?.(error, 'Service');
  process.exit(EXIT.failed);
}
