import { Logger } from '@nestjs/common';
import { backoff, pause, type Semaphore } from '../shared/backoff.js';
import type { Received } from '../kafka/cloud-event.js';
import type { EventProcessor } from './event-processor.js';
import { asError, type Failures, isTransient } from './failures.js';
import { metrics } from '../shared/metrics.js';
import { FAILURE, type Routes, type Work } from './routes.js';

/** Events per transaction: grows while handlers are quick, shrinks so that slow ones do not hold a transaction for long. */
const BATCH = { first: 20, most: 200, quick: 200, slow: 1000 };
const TRANSIENT_LIMIT = 20;
/** Messages: fetching pauses at this many, and resumes at the fraction `low` of them, or of the bytes. */
const QUEUE = { full: 1000, low: 0.3 };

export interface WorkerTools {
  routes: Routes;
  processor: EventProcessor;
  failures: Failures;
  /** How long an ordered event is retried before it is parked, in milliseconds. */
  parkAfter: number;
  /** Bounds concurrent transactions, so that HTTP requests find connections in the pool. */
  slots: Semaphore;
  databaseAnswers(): Promise<boolean>;
}

interface Tries {
  failures: number;
  /** Those that were not the event's fault. */
  transient: number;
  started: number;
}

/** Thrown inside a worker whose partition was revoked or whose service stops. */
class Stopped extends Error {}

/**
 * Handles the messages of one partition in order, apart from the fetch loop: a slow handler holds up neither heartbeats
 * nor other partitions. Everything up to `done` has had its effect (or was sent on) and may be committed.
 */
export class PartitionWorker {
  private readonly log = new Logger('Events');
  private readonly queue: Received[] = [];
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private batchSize = BATCH.first;
  private bytes = 0;
  private readonly name: string;

  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly tools: WorkerTools,
    /** How many bytes may be queued; depends on the number of partitions. */
    private readonly room: () => number,
    private readonly onDone: (worker: PartitionWorker, nextOffset: string) => void,
  ) {
    this.name = `${topic}/${partition}`;
  }

  get full(): boolean {
    return this.queue.length >= QUEUE.full || this.bytes >= this.room();
  }

  get low(): boolean {
    return this.queue.length <= QUEUE.full * QUEUE.low && this.bytes <= this.room() * QUEUE.low;
  }

  push(messages: Received[]): void {
    if (this.stopping.signal.aborted) return;
    this.queue.push(...messages.map((message) => this.tools.routes.admit(message)));
    this.bytes += bytesOf(messages);
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  /** Starts no more work; resolves when the running transaction has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.queue.length = 0;
    this.bytes = 0;
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      for (let batch = this.take(); batch.length > 0; batch = this.take()) {
        const started = performance.now();
        await this.process(batch);
        this.adapt(performance.now() - started);
        this.onDone(this, String(BigInt(batch.at(-1)!.offset) + 1n));
      }
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }

  private take(): Received[] {
    const batch = this.queue.splice(0, this.batchSize);
    this.bytes -= bytesOf(batch);
    return batch;
  }

  private adapt(milliseconds: number): void {
    if (milliseconds < BATCH.quick) this.batchSize = Math.min(this.batchSize * 2, BATCH.most);
    if (milliseconds > BATCH.slow) this.batchSize = Math.max(Math.floor(this.batchSize / 2), 1);
  }

  private async process(batch: Received[]): Promise<void> {
    const { works, unusable } = this.sort(batch);
    if (unusable.length > 0) {
      await this.untilSent(() => this.tools.failures.dead(unusable));
      for (const { message, reason } of unusable)
        this.log.error(`${positionOf(message)} is a dead letter: ${reason.message}`);
    }
    // One transaction for many events is what makes a consumer fast; after a failure its events are handled one by one.
    if (works.length > 1 && works.every((work) => !this.waits(work)) && (await this.handledTogether(works))) return;
    for (const work of works) await this.handleAlone(work);
  }

  private sort(batch: Received[]) {
    const works: Work[] = [];
    const unusable: { message: Received; reason: Error }[] = [];
    for (const message of batch) {
      try {
        const work = this.tools.routes.find(message);
        if (work) works.push(work);
        else metrics.handled.inc({ type: 'other', outcome: 'skipped' });
      } catch (error) {
        metrics.handled.inc({ type: 'other', outcome: 'unusable' });
        unusable.push({ message, reason: asError(error) });
      }
    }
    return { works, unusable };
  }

  private async handledTogether(works: Work[]): Promise<boolean> {
    try {
      await this.handle(works);
      return true;
    } catch (error) {
      if (error instanceof Stopped) throw error;
      return false;
    }
  }

  private async handleAlone(work: Work): Promise<void> {
    await this.untilDue(work);
    let transient = 0;
    const started = performance.now();
    for (let failures = 0; ; failures++) {
      try {
        await this.handle([work]);
        if (failures > 0)
          this.log.log(`${work.attributes.type} ${work.attributes.id} has been handled after ${failures} failures`);
        return;
      } catch (thrown) {
        if (thrown instanceof Stopped) throw thrown;
        const error = asError(thrown);
        const wait = await this.decideRetry(work, error, { failures, transient, started });
        if (wait === undefined) return;
        if (isTransient(error)) transient++;
        await this.pause(wait);
      }
    }
  }

  /** @returns how long to wait before the next attempt here, or nothing when the message was sent on. */
  private async decideRetry(work: Work, error: Error, tries: Tries): Promise<number | undefined> {
    const { failures, transient, started } = tries;
    const { type, id } = work.attributes;
    if (isTransient(error) && (transient < TRANSIENT_LIMIT || !(await this.tools.databaseAnswers()))) {
      if (failures === 0) this.log.warn(`${this.name} waits for the database: ${error.message}`);
      return backoff(failures, 50, 2000);
    }
    metrics.handled.inc({ type, outcome: 'failed' });
    if (work.ordered) {
      if (failures === 0) this.log.error(`${this.name} is blocked, ${type} ${id} cannot be handled: ${error.message}`);
      const left = started + this.tools.parkAfter - performance.now();
      return left > 0 ? Math.min(backoff(failures, 100, 30_000), left) : this.park(work, error);
    }
    const topic = await this.untilSent(() => this.tools.failures.later(work, error));
    this.log.error(`${type} ${id} could not be handled (attempt ${work.attempt}, now in ${topic}): ${error.message}`);
    return undefined;
  }

  private async park(work: Work, { message }: Error): Promise<number | undefined> {
    const { type, id } = work.attributes;
    try {
      await this.tools.processor.park(work, message);
    } catch {
      return 1000;
    }
    this.log.error(`${type} ${id} is parked with the later events of its key, other keys continue: ${message}`);
    return undefined;
  }

  private async handle(works: Work[]): Promise<void> {
    await this.tools.slots.run(async () => {
      this.checkStopped();
      await this.tools.processor.handle(works);
    });
  }

  /** Until Kafka has accepted the message, only this worker has it, so the partition waits. */
  private async untilSent<T>(send: () => Promise<T>): Promise<T> {
    for (let failures = 0; ; failures++) {
      try {
        return await send();
      } catch (error) {
        if (failures === 0) this.log.warn(`${this.name} cannot forward a message yet: ${asError(error).message}`);
        await this.pause(backoff(failures, 100, 5000));
      }
    }
  }

  private waits = ({ message }: Work): boolean => this.tools.failures.dueAt(message) > performance.now();

  private async untilDue({ message }: Work): Promise<void> {
    if (message.headers[FAILURE.due]) await this.pause(this.tools.failures.dueAt(message) - performance.now());
  }

  private async pause(milliseconds: number): Promise<void> {
    if (milliseconds > 0) await pause(milliseconds, this.stopping.signal);
    this.checkStopped();
  }

  private checkStopped(): void {
    if (this.stopping.signal.aborted) throw new Stopped();
  }
}

const bytesOf = (messages: Received[]): number => messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);

const positionOf = ({ topic, partition, offset }: Received) => `${topic}/${partition} offset ${offset}`;
