import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { brokerArguments, type BrokerAddress, type BrokerSettings, writeConfiguration } from './kafka-config.js';
import { canInstall, findJava, installKafka } from './kafka-install.js';
import { isFree } from '../supervise/ports.js';
import { launch, type ServerProcess, type Track, untilReady } from '../supervise/processes.js';

export interface KafkaOptions extends BrokerAddress {
  log: string;
  track?: Track;
  say?: (message: string) => void;
  settings?: BrokerSettings;
}

export interface KafkaBroker {
  brokers: string;
  process: ServerProcess;
}

export async function canRunKafka(): Promise<boolean> {
  return (await findJava()) !== undefined && (await canInstall());
}

/** Starts a Kafka 4.3 broker on Java and waits until it serves. */
export async function startKafka({
  data,
  port,
  controllerPort,
  log,
  track,
  say = () => {},
  settings = {},
}: KafkaOptions): Promise<KafkaBroker> {
  const found = await findJava();
  if (!found) throw new Error('Kafka needs Java 17 or later');
  const { java, jars, archive, formatted } = await installKafka(found.java, found.version, say);

  mkdirSync(dirname(data), { recursive: true });
  if (!existsSync(data)) {
    rmSync(`${data}.unfinished`, { recursive: true, force: true });
    cpSync(formatted, `${data}.unfinished`, { recursive: true });
    if (settings['node.id']) identify(join(`${data}.unfinished`, 'meta.properties'), settings['node.id']);
    renameSync(`${data}.unfinished`, data);
  }
  // A second broker on these ports would make the first one ignore SIGTERM.
  for (const taken of [port, controllerPort]) {
    if (!(await isFree(taken))) throw new Error(`Kafka cannot start: port ${taken} is in use`);
  }
  const config = `${data}.properties`;
  writeConfiguration(config, { data, port, controllerPort }, settings);
  const args = [...(archive ? [`-XX:SharedArchiveFile=${archive}`] : []), ...brokerArguments(jars, config)];
  const process = await launch({ name: 'Kafka', command: java, args, log, track });
  const brokers = `127.0.0.1:${port}`;
  try {
    await untilReady(process, log, () => serves(brokers));
  } catch (error) {
    await process.kill();
    throw error;
  }
  return { brokers, process };
}

/** What was formatted for the first broker becomes another's. */
function identify(file: string, id: string | number | boolean): void {
  const directory = randomBytes(16).toString('base64url');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/^node.id=.*$/m, `node.id=${id}`).replace(/^(directory.id=).*$/m, `$1${directory}`));
}

/** True when the cluster at these addresses (host:port, comma separated) has a controller and a broker. */
export async function serves(brokers: string): Promise<boolean> {
  const kafka = new Kafka({
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    connectionTimeout: 1000,
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    return cluster.brokers.length > 0 && cluster.controller !== null;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
