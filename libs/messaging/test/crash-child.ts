import type { Kafka, Producer, ProducerBatch } from 'kafkajs';
import type { DataSource, EntityManager } from 'typeorm';
import { RecordDrawn } from './effects.js';
import { FailFirst } from './failing.js';
import { type ReplicaOptions, startReplica } from './replica.js';

// A replica that ends or stops itself between two steps. Only its inputs are wrapped; the library is unchanged.

/** Stops instead of ending itself. */
export const FREEZE = 'relay: stopped when its first events are to be sent';

type Step = (typeof STEPS)[number] | typeof FREEZE;

export const STEPS = [
  'relay: after read, before send',
  'relay: after half a batch was sent',
  'relay: after send, before delete',
  'consumer: after effect, before commit',
  'consumer: after commit, before offset commit',
  'consumer: after offset commit',
  'consumer: after retry was sent, before offset commit',
] as const;

const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
};

const half = ({ topicMessages = [], ...rest }: ProducerBatch): ProducerBatch => ({
  ...rest,
  topicMessages: topicMessages.map(({ topic, messages }) => ({
    topic,
    messages: messages.slice(0, messages.length / 2),
  })),
});

function wrapProducer(producer: Producer, step: Step): Producer {
  const original = producer.sendBatch.bind(producer);
  let freezes = step === FREEZE;
  producer.sendBatch = async (batch) => {
    const retry = batch.topicMessages?.some(({ topic }) => topic.includes('.retry-'));
    if (step === 'relay: after read, before send') die();
    if (freezes) process.kill(process.pid, 'SIGSTOP');
    freezes = false;
    if (step === 'relay: after half a batch was sent') await original(half(batch)).then(die);
    const sent = await original(batch);
    if (step === 'relay: after send, before delete') die();
    if (step === 'consumer: after retry was sent, before offset commit' && retry) die();
    return sent;
  };
  return producer;
}

function wrapKafka(kafka: Kafka, step: Step): Kafka {
  const [producer, consumer] = [kafka.producer.bind(kafka), kafka.consumer.bind(kafka)];
  kafka.producer = (config) => wrapProducer(producer(config), step);
  kafka.consumer = (config) => {
    const created = consumer(config);
    const original = created.commitOffsets.bind(created);
    created.commitOffsets = async (offsets) => {
      if (step === 'consumer: after commit, before offset commit') die();
      await original(offsets);
      if (step === 'consumer: after offset commit') die();
    };
    return created;
  };
  return kafka;
}

function wrapDataSource(dataSource: DataSource, step: Step): void {
  if (step !== 'consumer: after effect, before commit') return;
  const original = dataSource.transaction.bind(dataSource);
  const dying = (work: (tx: EntityManager) => Promise<unknown>) =>
    original(async (tx) => {
      await work(tx);
      die();
    });
  Object.assign(dataSource, { transaction: dying });
}

if (process.env.TEST_CRASH) {
  const { step, ...options } = JSON.parse(process.env.TEST_CRASH) as ReplicaOptions & { step: Step };
  const controllers = step.includes('retry') ? [FailFirst] : [RecordDrawn];
  const wrap = {
    kafka: (kafka: Kafka) => wrapKafka(kafka, step),
    dataSource: (d: DataSource) => wrapDataSource(d, step),
  };
  await startReplica({ ...options, controllers, wrap });
}
