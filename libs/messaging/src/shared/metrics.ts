import { Counter, Gauge, Histogram, register } from 'prom-client';

// A test file that loads this module twice shares the metrics instead of failing on the second registration.
function once<T>(name: string, create: () => T): T {
  return (register.getSingleMetric(name) as T | undefined) ?? create();
}

const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
  once(name, () => new Counter({ name, help, labelNames }));
const gauge = <L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> =>
  once(name, () => new Gauge({ name, help, labelNames }));

export const metrics = {
  lag: gauge('tasklane_consumer_lag', 'Messages of a partition that are not handled yet', ['topic', 'partition']),
  broadcastLag: gauge(
    'tasklane_broadcast_lag',
    'Messages of a partition that this replica has not taken into its memory yet, such as revoked sessions',
    ['topic', 'partition'],
  ),
  parkedKeys: gauge('tasklane_parked_keys', 'Keys whose events wait because an ordered handler fails', []),
  lastProgress: gauge(
    'tasklane_consumer_last_progress_timestamp_seconds',
    'When the consumer last fetched, with or without messages (Unix time)',
    [],
  ),
  handled: counter('tasklane_events_handled_total', 'Events by what became of them', ['type', 'outcome']),
  retries: counter('tasklane_events_retried_total', 'Events sent to a retry topic', ['type']),
  deadLetters: counter(
    'tasklane_dead_letters_total',
    'Messages sent to the dead-letter topic, by where they were read',
    ['topic'],
  ),
  rebalances: counter(
    'tasklane_consumer_rebalances_total',
    'Times the consumer group gave this replica partitions',
    [],
  ),
  outboxPending: gauge('tasklane_outbox_pending', 'Events in the outbox that are not sent yet (at most 100,000)', []),
  outboxAge: gauge('tasklane_outbox_oldest_seconds', 'Age of the oldest event in the outbox', []),
  relayed: counter('tasklane_outbox_sent_total', 'Events sent from the outbox to Kafka', ['topic']),
  latency: once(
    'tasklane_event_latency_seconds',
    () =>
      new Histogram({
        name: 'tasklane_event_latency_seconds',
        help: 'From the creation of an event (ce_time) to the commit of its effect here',
        labelNames: ['type'],
        buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10, 60, 600],
      }),
  ),
};
