import { crc32 } from 'node:zlib';
import { Inject, Injectable } from '@nestjs/common';
import type { EventDefinition } from '#libs/contracts';
import { DataSource, type EntityManager, type EntitySubscriberInterface, type TransactionCommitEvent } from 'typeorm';
import { z } from 'zod';
import { eventHeaders, type Headers } from '../kafka/cloud-event.js';
import type { MessagingConfig } from '../shared/messaging.settings.js';
import { insertEvents } from './insert-events.js';
import { Relay } from './relay.js';
import { SHARDS } from './shard-leases.js';
import { TopicNames } from '../kafka/topics.js';

export interface OutboxEntry<T = unknown> {
  event: EventDefinition<T>;
  /** Id of the aggregate; events of one key are delivered in the order in which they were added. */
  key: string;
  data: T;
}

interface Row {
  topic: string;
  key: string;
  payload: string | null;
  headers: Headers;
  expiresAt?: Date;
}

/** Kafka refuses messages over 1 MB; this leaves room for headers. */
const MAX_PAYLOAD = 900_000;
const MARK = 'tasklaneOutbox';

const INSERT_EVENTS = insertEvents(1);

/**
 * Services add their events here, inside the transaction that changes the data: both are committed or neither.
 *
 * Order per key holds because whoever changes an aggregate holds its row lock (an UPDATE, or SELECT … FOR UPDATE) before
 * adding its event: two transactions on one key then add their events one after the other.
 */
@Injectable()
export class Outbox {
  constructor(
    dataSource: DataSource,
    @Inject(Relay) private readonly relay: Pick<Relay, 'wake'>,
    private readonly names: TopicNames,
  ) {
    dataSource.subscribers.push(new WakeAfterCommit(relay));
  }

  /**
   * Adds one event; `tx` is the manager of the running transaction.
   * @throws Error when the data does not match the event's schema: a bug, not bad input.
   */
  async add<T>(tx: EntityManager, event: EventDefinition<T>, key: string, data: T): Promise<void> {
    await this.addAll(tx, [{ event, key, data }]);
  }

  async addAll(tx: EntityManager, entries: OutboxEntry<never>[] | OutboxEntry[]): Promise<void> {
    await this.insert(tx, this.rowsOf(entries));
  }

  /**
   * For a hot path that changes data and adds its events in one statement, without an explicit transaction: these
   * are the parameters of `insertEvents`. Call `wake` when the statement is done.
   */
  parametersOf(entries: OutboxEntry[]): unknown[][] {
    return columnsOf(this.rowsOf(entries));
  }

  /** Makes the relay look now instead of at its next poll. Transactions that add events do it automatically. */
  wake(): void {
    this.relay.wake();
  }

  /** Adds the answer to a request that came over Kafka. Nobody waits for it longer than `expiresAt`. */
  async addReply(tx: EntityManager, reply: Required<Row>): Promise<void> {
    await this.insert(tx, [reply]);
  }

  private async insert(tx: EntityManager, rows: Row[]): Promise<void> {
    if (rows.length === 0) return;
    if (!tx.queryRunner?.isTransactionActive) throw new Error('the outbox takes events only inside a transaction');
    tx.queryRunner.data[MARK] = true;
    await tx.query(INSERT_EVENTS, columnsOf(rows));
  }

  private rowsOf(entries: OutboxEntry<never>[] | OutboxEntry[]): Row[] {
    return entries.map(({ event, key, data }) => ({
      topic: this.names.event(event.topic),
      key,
      payload: payloadOf(event as EventDefinition, data),
      headers: eventHeaders(event.type, `/${this.names.group}`),
    }));
  }
}

/** The outbox of a command that runs beside the service of this `group`, whose relay sends what it adds. */
export const commandOutbox = (
  dataSource: DataSource,
  { TOPIC_PREFIX, EVENT_RETRY_DELAYS }: MessagingConfig,
  group: string,
): Outbox =>
  new Outbox(dataSource, { wake: () => undefined }, new TopicNames(TOPIC_PREFIX, group, EVENT_RETRY_DELAYS.length));

const columnsOf = (rows: Row[]): unknown[][] => [
  rows.map(({ key }) => crc32(key) % SHARDS),
  rows.map(({ topic }) => topic),
  rows.map(({ key }) => key),
  rows.map(({ payload }) => payload),
  rows.map(({ headers }) => JSON.stringify(headers)),
  rows.map(({ expiresAt }) => expiresAt ?? null),
];

function payloadOf(event: EventDefinition, data: unknown): string | null {
  const { error, data: parsed } = event.schema.safeParse(data);
  if (error) throw new Error(`data of ${event.type} is wrong: ${z.prettifyError(error)}`);
  if (parsed === null) return null;
  const payload = JSON.stringify(parsed);
  if (Buffer.byteLength(payload) > MAX_PAYLOAD)
    throw new Error(`data of ${event.type} has more than ${MAX_PAYLOAD} bytes`);
  return payload;
}

class WakeAfterCommit implements EntitySubscriberInterface {
  constructor(private readonly relay: Pick<Relay, 'wake'>) {}

  afterTransactionCommit({ queryRunner }: TransactionCommitEvent): void {
    // Also called for the release of a savepoint; then the transaction is still open.
    if (!queryRunner.data[MARK] || queryRunner.isTransactionActive) return;
    queryRunner.data[MARK] = false;
    this.relay.wake();
  }
}
