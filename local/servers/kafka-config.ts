import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BrokerAddress {
  data: string;
  port: number;
  controllerPort: number;
}

export type BrokerSettings = Record<string, string | number | boolean>;

/** Writes the settings of a single broker that is its own controller, but for those that are given. */
export function writeConfiguration(
  file: string,
  { data, port, controllerPort }: BrokerAddress,
  given: BrokerSettings = {},
): void {
  const settings: BrokerSettings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'log.dirs': data,
    'auto.create.topics.enable': false,
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    // A killed broker is soon declared dead, and can register again.
    'broker.session.timeout.ms': 1500,
    'broker.heartbeat.interval.ms': 300,
    // The default of 128 MB would be half of the heap.
    'log.cleaner.dedupe.buffer.size': 8 << 20,
    'num.network.threads': 2,
    'num.io.threads': 4,
    ...given,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${escaped(String(value))}`);
  writeFileSync(file, `${lines.join('\n')}\n`);
}

/** Java reads properties as Latin-1 with escapes. */
function escaped(value: string): string {
  const unicode = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return value.replaceAll('\\', '\\\\').replaceAll(/[^ -~]/g, unicode);
}

/** Arguments for java, tuned for a quick start and a small process. */
export function brokerArguments(jars: string, config: string): string[] {
  return [
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-Xmx256m',
    '-Djava.awt.headless=true',
    '-Dorg.apache.logging.log4j.level=INFO',
    '-cp',
    join(jars, '*'),
    'kafka.Kafka',
    config,
  ];
}
