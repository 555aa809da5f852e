import { Logger } from '@nestjs/common';
import { Certificates } from '#libs/service';
import { registerCodecs } from './codecs.js';
import { Kafka, type LogEntry, logLevel, patchKafkajs, type SASLOptions } from './kafkajs.js';
import type { KafkaConfig } from '../shared/messaging.settings.js';

/** A kafkajs client whose log goes through Nest's Logger. Opens no connection by itself. */
export function createKafka(config: KafkaConfig, clientId: string): Kafka {
  patchKafkajs();
  registerCodecs();
  return new Kafka({
    clientId,
    brokers: config.KAFKA_BROKERS,
    ssl: tls(config),
    sasl: sasl(config),
    connectionTimeout: 3000,
    authenticationTimeout: 5000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 3 },
    logLevel: logLevel.INFO,
    logCreator: () => writeLog,
  });
}

function tls(config: KafkaConfig) {
  if (!config.KAFKA_TLS) return false;
  if (!config.KAFKA_CA_FILE_PATH) return true;
  const certificates = new Certificates(config, { ca: 'KAFKA_CA_FILE_PATH' });
  // kafkajs copies this for each connection that it opens.
  return {
    get ca() {
      return certificates.current.ca;
    },
  };
}

function sasl(config: KafkaConfig): SASLOptions | undefined {
  const { KAFKA_USERNAME: username, KAFKA_PASSWORD: password, KAFKA_SASL_MECHANISM: mechanism } = config;
  return username ? { mechanism, username, password: password ?? '' } : undefined;
}

const kafkaLog = new Logger('Kafka');

// This library logs each change of state once; kafkajs logs every retry again and
// each pause of a partition, so its messages are logged for debugging only.
function writeLog({ log: { message, ...details }, namespace }: LogEntry): void {
  const reason = details.error ? ` (${String(details.error)})` : '';
  kafkaLog.debug(`${namespace || 'Client'}: ${message}${reason}`);
}

/** The error code of the Kafka protocol behind an error of kafkajs, such as `UNKNOWN_TOPIC_OR_PARTITION`. */
export function protocolError(error: unknown): string | undefined {
  for (let current = error; current; current = (current as { cause?: unknown }).cause) {
    const { type } = current as { type?: unknown };
    if (typeof type === 'string') return type;
  }
  return undefined;
}
