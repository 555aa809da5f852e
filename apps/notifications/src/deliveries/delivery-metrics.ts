import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, register } from 'prom-client';
import { DataSource } from 'typeorm';

@Injectable()
export class DeliveryMetrics {
  readonly outcomes: Counter<'template' | 'outcome'>;
  /** Seconds from the event to the mail server's acceptance. */
  readonly latency: Histogram<'template'>;

  constructor(dataSource: DataSource) {
    // A test that starts the service twice in one process replaces what the first one registered.
    for (const name of ['tasklane_deliveries_total', 'tasklane_delivery_seconds', 'tasklane_deliveries_pending']) {
      register.removeSingleMetric(name);
    }
    this.outcomes = new Counter({
      name: 'tasklane_deliveries_total',
      help: 'Attempts to send a mail by how they ended: sent, retried, postponed, dead, cancelled',
      labelNames: ['template', 'outcome'],
    });
    this.latency = new Histogram({
      name: 'tasklane_delivery_seconds',
      help: 'Time from the event that asked for a mail to its acceptance by the mail server',
      labelNames: ['template'],
      buckets: [0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 10, 60, 600, 3600],
    });
    void new Gauge({
      name: 'tasklane_deliveries_pending',
      help: 'Mails that are still to be sent, over all replicas',
      async collect() {
        // A scrape must not fail with the database: the last value remains.
        const count = await dataSource
          .query<{ count: number }[]>(`SELECT count(*)::int AS count FROM deliveries WHERE state = 'pending'`)
          .catch(() => []);
        if (count[0]) this.set(count[0].count);
      },
    });
  }
}
