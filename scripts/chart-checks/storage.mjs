// Whether what Kafka may keep fits its volume, by another calculation than the chart's.
import { readFileSync } from 'node:fs';
import { chart, report, resourcesOf, template } from './support.mjs';
import { parse } from 'yaml';

const GiB = 1024 ** 3;
const MiB = 1024 ** 2;
const [, stages] = /EVENT_RETRY_DELAYS.*`(.*,.*)`/.exec(readFileSync('docs/settings.md', 'utf8'));
const [, partitionsEach] = /TOPIC_PARTITIONS.*`(\d+)`/.exec(readFileSync('docs/settings.md', 'utf8'));
const channels = Object.values(parse(readFileSync('docs/asyncapi.yaml', 'utf8')).channels);
const shared = new Set(channels.map(({ address }) => address).filter(Boolean)).size;
const services = Object.keys(parse(readFileSync(`${chart}/values.yaml`, 'utf8')).services).length;
const partitions = (count) => (shared + count * (stages.split(',').length + 1)) * Number(partitionsEach);

const propertiesOf = (resources) => {
  const text = resources.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'tasklane-kafka').data;
  return Object.fromEntries(text['server.properties'].split('\n').map((line) => line.split(/=(.*)/)));
};
const strimziOf = (resources) => resources.find(({ kind }) => kind === 'Kafka').spec.kafka.config;

/** The most bytes used on a volume: each partition with a segment being written and one being deleted. */
const bound = (count, settings) =>
  count * (Number(settings['log.retention.bytes']) + 2 * Number(settings['log.segment.bytes'])) +
  50 * Number(settings['offsets.topic.segment.bytes']) +
  3 * Number(settings['metadata.log.segment.bytes']);

const audit = ['--set', 'services.audit.image.repository=a/audit', '--set', 'services.audit.routes={/api/v1/audit}'];
const volume = (size) => ['--set', `kafka.embedded.persistence.size=${size}Gi`];
const strimzi = (size, replicas) => [
  '--set',
  `kafka.mode=strimzi,kafka.strimzi.storageSize=${size}Gi,kafka.strimzi.replicas=${replicas}`,
];
for (const { size, count = services, share = 1, settings } of [
  { size: 4, settings: propertiesOf(resourcesOf(...volume(4))) },
  { size: 8, settings: propertiesOf(resourcesOf()) },
  { size: 500, settings: propertiesOf(resourcesOf(...volume(500))) },
  { size: 8, count: services + 1, settings: propertiesOf(resourcesOf(...audit)) },
  { size: 20, settings: strimziOf(resourcesOf(...strimzi(20, 3))) },
  { size: 20, share: 0.5, settings: strimziOf(resourcesOf(...strimzi(20, 6))) },
]) {
  const part = bound(partitions(count) * share, settings) / (size * GiB);
  // TasklaneDiskFull fires at 85 %. Less than half would be a waste.
  const ok = part < 0.85 && part > 0.5 && Number(settings['log.segment.bytes']) > 2 * MiB;
  report(`Kafka keeps to ${size}Gi with ${count} services, ${share} of them a broker`, ok, `${part}`);
}

const small = template(...volume(2));
const told = small.output.includes('kafka.embedded.persistence.size (2Gi) is too small');
report('a volume that is too small for the partitions is refused', !small.ok && told, small.output);

const { 'log.flush.interval.messages': flushed } = propertiesOf(resourcesOf());
report('the only broker acknowledges what is on its disk', flushed === '1', flushed);

/** Bytes of an event on disk, measured with the published example of item.created. */
const EVENT = 475;
const operations = readFileSync('docs/kubernetes/operations.md', 'utf8');
const span = (seconds) => {
  if (seconds >= 30 * 86_400) return '30 days';
  if (seconds >= 2 * 86_400) return `${Math.floor(seconds / 86_400)} days`;
  return seconds >= 7200 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 60)} min`;
};
for (const size of [8, 20, 50, 200]) {
  const kept = Number(propertiesOf(resourcesOf(...volume(size)))['log.retention.bytes']) * Number(partitionsEach);
  const cells = [
    `${size}Gi`,
    `${Math.floor(kept / MiB)} MiB`,
    ...[1, 10, 200].map((rate) => span(kept / EVENT / rate)),
  ];
  const row = new RegExp(`^\\| ${cells.join(' +\\| ')} +\\|$`, 'm');
  report(`operations.md tells how long ${size}Gi last`, row.test(operations), cells.join(' | '));
}
