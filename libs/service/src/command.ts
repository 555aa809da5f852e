import type { DataSource } from 'typeorm';
import { createDataSource, type DatabaseConfig, type DatabaseOptions, type Log } from './data-source.js';

/** A command that an operator runs as `main.js <name> <arguments>`, besides the running service. */
export interface Command<Config = never> {
  parameters: string[];
  /** Returns the line that is printed. @throws CommandError for what the operator has to correct. */
  run(dataSource: DataSource, config: Config, ...args: string[]): Promise<string>;
}

export class CommandError extends Error {}

export async function runCommand<Config>(
  command: Command<Config>,
  options: DatabaseOptions,
  config: Config,
  log: Log,
  args: string[],
): Promise<string> {
  const dataSource = createDataSource(options, config as DatabaseConfig, log);
  await dataSource.initialize();
  try {
    return await command.run(dataSource, config, ...args);
  } finally {
    await dataSource.destroy();
  }
}
