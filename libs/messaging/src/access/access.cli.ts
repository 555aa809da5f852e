import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadSettings } from '#libs/service/setup';
import { Kafka, logLevel, patchKafkajs, type SASLOptions } from '../kafka/kafkajs.js';
import { messagingSettings } from '../shared/messaging.settings.js';
import { Access, type AccessUser } from './access.js';

/*
 * Keeps users and rights of the embedded Kafka as its chart wants them: `access.cli.js USERS PASSWORDS`, the one a JSON file with
 * names and rules, the other a folder with a file `<name>-password` for each. Logs in as a superuser by KAFKA_USERNAME. It looks
 * again all the time: a broker that lost its volume gets them back, and all files may change. Loads no Nest, for its small pod.
 */
const EVERY = 10_000;
const AFTER_FAILURE = 1000;

const [file, folder] = process.argv.slice(2) as [string, string];
const access = new Access();

function users(): AccessUser[] {
  const named = JSON.parse(readFileSync(file, 'utf8')) as Omit<AccessUser, 'password'>[];
  return named.map((user) => ({ ...user, password: readFileSync(`${folder}/${user.name}-password`, 'utf8').trim() }));
}

function connect(): Kafka {
  const config = loadSettings(messagingSettings);
  const { KAFKA_USERNAME: username = '', KAFKA_PASSWORD: password = '', KAFKA_SASL_MECHANISM: mechanism } = config;
  return new Kafka({
    clientId: 'kafka-access',
    brokers: config.KAFKA_BROKERS,
    ssl: config.KAFKA_TLS && (config.KAFKA_CA_FILE_PATH ? { ca: readFileSync(config.KAFKA_CA_FILE_PATH) } : true),
    sasl: { mechanism, username, password } as SASLOptions,
    connectionTimeout: 3000,
    retry: { retries: 1 },
    logLevel: logLevel.NOTHING,
  });
}

const say = (level: string, msg: string) =>
  process.stdout.write(`${JSON.stringify({ level, time: new Date().toISOString(), context: 'Access', msg })}\n`);

patchKafkajs();
// Process 1 of a container ends by no signal that it does not handle.
process.on('SIGTERM', () => process.exit());
for (let failing = ''; ; await sleep(failing ? AFTER_FAILURE : EVERY)) {
  try {
    for (const change of await access.apply(connect(), users())) say('info', change);
    if (failing) say('info', 'users and rights are as they should be');
    failing = '';
  } catch (error) {
    const { message } = error as Error;
    if (message !== failing) say('warn', `users and rights cannot be set yet, trying on: ${message}`);
    failing = message;
  }
}
