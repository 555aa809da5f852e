import { Controller } from '@nestjs/common';
import type { Kafka } from 'kafkajs';
import { EventContext, OnEvent } from '../src/index.js';
import { record } from './effects.js';
import { numberDrawn, numberRaised, type TestNumber } from './test-events.js';

/** Fails the first attempt of every seventh number, after its effect. */
@Controller()
export class FailFirst {
  @OnEvent(numberDrawn)
  async handle(data: TestNumber, context: EventContext): Promise<void> {
    await record(context, data);
    if (data.n % 7 === 0 && context.attempt === 1) throw new Error('the first attempt fails');
  }
}

/** Fails every attempt of negative numbers. */
@Controller()
export class FailNegative {
  @OnEvent(numberDrawn)
  async handle(data: TestNumber, context: EventContext): Promise<void> {
    await record(context, data);
    if (data.n < 0) throw new Error(`negative numbers are not for us: ${data.n}`);
  }
}

/** Handles in order, and fails while the test tells it to. */
@Controller()
export class Ordered {
  static fault: Error | undefined;
  static tries = 0;

  @OnEvent(numberRaised, { ordered: true })
  async handle(data: TestNumber, context: EventContext): Promise<void> {
    Ordered.tries++;
    if (Ordered.fault && data.key === 'stuck') throw Ordered.fault;
    await record(context, data);
  }
}

/** A client whose consumers connect and then do nothing. */
export function withConsumersThatHang(kafka: Kafka): Kafka {
  const original = kafka.consumer.bind(kafka);
  kafka.consumer = (config) => Object.assign(original(config), { run: () => new Promise<void>(() => undefined) });
  return kafka;
}
