import { sweepScratchDirectories } from './scratch.js';
import { type OwnKafka, ownKafka, type OwnPostgres, ownPostgres } from './servers.js';

declare global {
  // eslint-disable-next-line no-var -- the one form in which TypeScript declares a global
  var tasklaneTestServers: [OwnPostgres, OwnKafka] | undefined;
}

/** Starts the servers that all suites share; workers inherit their addresses through the environment. */
export default async function setup(): Promise<void> {
  // A running system is tested without servers of our own: there may be no Java here.
  if (process.env.BASE_URL) return;
  sweepScratchDirectories();
  const servers = await Promise.all([ownPostgres(), ownKafka((message) => process.stdout.write(`\n${message}\n`))]);
  globalThis.tasklaneTestServers = servers;
  process.env.TASKLANE_TEST_POSTGRES = servers[0].url;
  process.env.TASKLANE_TEST_KAFKA = servers[1].brokers;
  process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';
}
