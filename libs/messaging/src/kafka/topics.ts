import { Logger } from '@nestjs/common';
import type { Topic } from '#libs/contracts';
import { withAdmin } from './admin.js';
import { type Admin, ConfigResourceTypes, type ITopicConfig, type Kafka } from './kafkajs.js';
import { backoff, pause } from '../shared/backoff.js';
import type { MessagingConfig } from '../shared/messaging.settings.js';

const DAY = 24 * 60 * 60 * 1000;

/** The names of topics and groups: `<prefix>.<topic>` for events, `<prefix>.<group>.…` for what only one group uses. */
export class TopicNames {
  constructor(
    private readonly prefix: string,
    readonly group: string,
    readonly retryStages: number,
    private readonly replyPrefixes: string[] = [],
  ) {}

  event = (topic: Topic): string => `${this.prefix}.${topic.name}`;
  /** Retry topics count from 1. */
  retry = (stage: number): string => `${this.prefix}.${this.group}.retry-${stage}`;
  get retries(): string[] {
    return Array.from({ length: this.retryStages }, (_, index) => this.retry(index + 1));
  }
  /** Whether it is a retry topic of this group, also of a stage that the settings no longer have. */
  isRetry = (topic: string): boolean => {
    const stem = this.retry(0).slice(0, -1);
    return topic.startsWith(stem) && /^\d$/.test(topic.slice(stem.length));
  };
  get dead(): string {
    return `${this.prefix}.${this.group}.dead`;
  }
  get replies(): string {
    return `${this.prefix}.${this.group}.replies`;
  }
  consumerGroup = (part?: string): string => [this.prefix, this.group, part].filter(Boolean).join('.');

  /**
   * Replies go to topics of this system that end in `.replies`, and where a setting allows it; never into the system's other
   * topics, where they could be taken for events, nor to any topic that a stranger names.
   */
  mayReplyTo = (topic: string): boolean => {
    if (!/^[a-zA-Z0-9._-]{1,249}$/.test(topic)) return false;
    if (topic.startsWith(`${this.prefix}.`)) return topic.endsWith('.replies');
    return this.replyPrefixes.some((prefix) => topic.startsWith(prefix));
  };
}

/** How much longer than its retention a topic may keep a message: brokers delete whole segments only. */
const SEGMENT = DAY;
const HOUR = DAY / 24;
const KEPT_FOR_REDRIVE = 30 * DAY;

/**
 * Milliseconds after which no topic can redeliver an event, so that its inbox row is no longer needed: the time a
 * replayed topic covers, plus some days for late clocks and log cleaners.
 */
export function longestReplay(topics: Pick<Topic, 'retention'>[]): number {
  const retentions = topics.map(({ retention }) => retention);
  return Math.max(KEPT_FOR_REDRIVE, ...retentions) + SEGMENT + 4 * DAY;
}

/**
 * How far the timestamp of an event may be before and after the broker's time, in milliseconds: the fence of
 * ADR 8. Brokers refuse anything older, so nothing sent under a lost lease reaches a topic after that.
 */
export const FENCE = { before: 5000, after: 2000 };
const FENCE_SETTINGS = {
  'message.timestamp.before.max.ms': FENCE.before,
  'message.timestamp.after.max.ms': FENCE.after,
};

export interface WantedTopic {
  name: string;
  cleanup: Topic['cleanup'];
  /** Milliseconds: see Topic. */
  retention: number;
  /** Of a batch of messages; the broker's default is 1 MB. */
  maxBytes?: number;
  /** Whether relays write it, under the fence. Other services have it, too, so this login need not have the right to create it. */
  fenced?: boolean;
}

/** Larger than other topics: a message of their maximum size arrives here with additional headers. */
export const keptForRedrive = (name: string): WantedTopic => ({
  name,
  cleanup: 'delete',
  retention: KEPT_FOR_REDRIVE,
  maxBytes: 2_097_152,
});
/** A request carries an access token, which lives for an hour at most. */
export const keptForReply = (name: string): WantedTopic => ({ name, cleanup: 'delete', retention: HOUR });

const NOT_ALLOWED = 'TOPIC_AUTHORIZATION_FAILED';
const log = new Logger('Topics');

/**
 * Creates topics that do not exist yet, but for those of other services that this login may not create. Waits for the broker as
 * long as it takes, or until `signal` aborts.
 * @returns the topics that existed before.
 */
export async function ensureTopics(
  kafka: Kafka,
  config: Pick<MessagingConfig, 'TOPIC_PARTITIONS'>,
  wanted: WantedTopic[],
  signal: AbortSignal,
): Promise<string[]> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await withAdmin(kafka, 1, (admin) => check(admin, config.TOPIC_PARTITIONS, wanted));
    } catch (error) {
      if (failures % 12 === 0) log.warn(`topics cannot be checked yet, retrying: ${(error as Error).message}`);
    }
    await pause(backoff(failures, 250, 5000), signal);
  }
  return [];
}

async function check(admin: Admin, partitions: number, wanted: WantedTopic[]): Promise<string[]> {
  const existing = await createMissing(admin, partitions, wanted);
  const known = wanted.filter(({ name }) => existing.includes(name));
  // A login that may not read the settings of topics can still use them.
  await compare(admin, known, longestReplay(wanted)).catch((error: Error) =>
    log.debug(`the settings of topics cannot be read: ${error.message}`),
  );
  return existing;
}

async function createMissing(admin: Admin, numPartitions: number, wanted: WantedTopic[]): Promise<string[]> {
  const existing = await admin.listTopics();
  const missing = wanted.filter(({ name }) => !existing.includes(name));
  if (missing.length === 0) return existing;
  const topics = missing.map((topic): ITopicConfig => ({
    topic: topic.name,
    numPartitions,
    replicationFactor: -1,
    configEntries: Object.entries(configOf(topic)).map(([name, value]) => ({ name, value: String(value) })),
  }));
  const refused = await create(admin, topics);
  const own = missing.find(({ name, fenced }) => !fenced && refused.includes(name));
  if (own) throw new Error(`the login at Kafka may not create ${own.name}`);
  return existing;
}

/** @returns the topics that this login may not create. @throws what else kept one from being created. */
async function create(admin: Admin, topics: ITopicConfig[]): Promise<string[]> {
  const failed = await admin.createTopics({ topics, waitForLeaders: true }).then(
    // False: another replica has created all of them meanwhile.
    (created) => (created ? [] : undefined),
    (error: { errors?: { type?: string; topic: string }[] }) => {
      const harmless = error.errors?.every(({ type }) => type === NOT_ALLOWED || type === 'TOPIC_ALREADY_EXISTS');
      if (!harmless) throw error as Error;
      return error.errors!;
    },
  );
  if (failed === undefined) return [];
  const created = topics.filter(({ topic }) => !failed.some((failure) => failure.topic === topic));
  if (created.length > 0) log.log(`created ${created.map(({ topic }) => topic).join(', ')}`);
  return failed.filter(({ type }) => type === NOT_ALLOWED).map(({ topic }) => topic);
}

function configOf({ cleanup, retention, maxBytes, fenced }: WantedTopic): Record<string, string | number> {
  return {
    'cleanup.policy': cleanup,
    'segment.ms': Math.min(SEGMENT, retention),
    ...(maxBytes !== undefined && { 'max.message.bytes': maxBytes }),
    ...(fenced && FENCE_SETTINGS),
    ...(cleanup === 'delete'
      ? { 'retention.ms': retention }
      : // A service that was away must still find the tombstone, which holds no more than an id.
        { 'max.compaction.lag.ms': retention, 'delete.retention.ms': KEPT_FOR_REDRIVE }),
  };
}

/** Warns about existing topics whose settings differ from what this system relies on. Changes none. */
async function compare(admin: Admin, topics: WantedTopic[], inboxKept: number): Promise<void> {
  if (topics.length === 0) return;
  const fence = Object.entries(FENCE_SETTINGS);
  const configNames = [
    'cleanup.policy',
    'retention.ms',
    'segment.ms',
    'max.compaction.lag.ms',
    ...fence.map(([name]) => name),
  ];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name }) => ({ type: ConfigResourceTypes.TOPIC, name, configNames })),
  });
  const unfenced: string[] = [];
  for (const { resourceName, configEntries } of resources) {
    const values = Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue]));
    const wanted = topics.find(({ name }) => name === resourceName)!;
    for (const fault of faultsOf(wanted, values, inboxKept)) log.warn(`the topic ${resourceName} ${fault}`);
    // Brokers before 3.6 report neither of the two.
    if (wanted.fenced && !fence.every(([name, most]) => Number(values[name]) <= most)) unfenced.push(resourceName);
  }
  if (unfenced.length === 0) return;
  const command =
    `for topic in ${unfenced.join(' ')}; do kafka-configs.sh --bootstrap-server … --alter --topic $topic ` +
    `--add-config ${fence.map(([name, most]) => `${name}=${most}`).join(',')}; done`;
  log.warn(`brokers accept events of relays that lost their lease (ADR 8); once all pods run this version: ${command}`);
}

function faultsOf({ cleanup, retention }: WantedTopic, actual: Record<string, string>, inboxKept: number): string[] {
  const {
    'cleanup.policy': policy = cleanup,
    'retention.ms': kept = retention,
    'segment.ms': segment = SEGMENT,
    'max.compaction.lag.ms': lag = retention,
  } = actual;
  const faults: string[] = [];
  if (policy !== cleanup) faults.push(`has cleanup.policy=${policy} instead of ${cleanup}`);
  else if (cleanup === 'compact' && Number(lag) > retention)
    faults.push(`has max.compaction.lag.ms=${lag}, more than ${retention}: it keeps what was erased for longer`);
  if (cleanup === 'compact') return faults;
  if (Number(kept) >= 0 && Number(kept) < retention) faults.push(`has retention.ms=${kept}, less than ${retention}`);
  if (Number(kept) < 0 || Number(kept) + Number(segment) > inboxKept)
    faults.push(
      `has retention.ms=${kept} and segment.ms=${segment}, longer than the ${inboxKept} ms that the inbox remembers: what is replayed after that is handled twice`,
    );
  return faults;
}
