import { beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { register } from 'prom-client';
import type { Problem } from '#libs/http';
import { type CallContext, CallPolicy } from './call-policy.js';

Logger.overrideLogger(false);

const refusal = new Error('refused');
const notFound = new Error('not found');
const failure = new Error('failed');

describe('a call policy', () => {
  /** What the callee does with each call; it is healthy without it. */
  let fault: (context: CallContext) => Promise<string>;
  let calls: number;
  let policy: CallPolicy;

  beforeEach(() => {
    calls = 0;
    fault = async () => 'well';
    policy = new CallPolicy({
      callee: 'pets',
      timeLimit: 400,
      halfOpenAfter: 100,
      isAnswer: (error) => error === notFound,
      isRefusal: (error) => error === refusal,
    });
  });

  const call = () =>
    policy.execute((context) => {
      calls++;
      return fault(context);
    });
  const fails = (error: Error) => {
    fault = async () => {
      throw error;
    };
  };
  const outcome = () => call().catch((error: Problem) => error.code ?? error.message);
  const outcomes = async (count: number) => {
    const all: string[] = [];
    for (let number = 0; number < count; number++) all.push(await outcome());
    return all;
  };
  const open = async () => {
    fails(failure);
    await outcomes(5);
    calls = 0;
  };
  const halfOpens = () => new Promise((resolve) => setTimeout(resolve, 110));
  const state = async () => {
    const { values } = await register.getSingleMetric('tasklane_circuit_state')!.get();
    return values.find(({ labels }) => labels['callee'] === 'pets')?.value;
  };

  it('gives up on a silent callee at its limit, and says so to whoever calls on', async () => {
    let given: CallContext;
    fault = (context) => {
      given = context;
      return new Promise(() => undefined);
    };
    const begun = Date.now();
    const error = (await call().catch((thrown: unknown) => thrown)) as Problem;
    expect([error.getStatus(), error.code, error.extra.retryAfter]).toEqual([503, 'unavailable', 2]);
    expect(Date.now() - begun).toBeGreaterThan(380);
    expect(given!.signal.aborted).toBe(true);
    expect(given!.deadline - begun).toBeGreaterThanOrEqual(400);
  });

  it('opens after five failures in a row, and calls no more', async () => {
    fails(failure);
    await outcomes(4);
    expect(await state()).toBe(0);
    await outcome();
    expect(await state()).toBe(2);
    expect(await outcomes(3)).toEqual(['unavailable', 'unavailable', 'unavailable']);
    expect(calls).toBe(5);
  });

  it('starts to count anew with each success', async () => {
    fails(failure);
    await outcomes(4);
    fault = async () => 'well';
    await outcome();
    fails(failure);
    await outcomes(4);
    expect(await state()).toBe(0);
  });

  it('lets one call try while all others fail at once, and closes when it went well', async () => {
    await open();
    await halfOpens();
    let answer!: (value: string) => void;
    fault = () => new Promise((resolve) => (answer = resolve));
    const trying = call();
    expect(await state()).toBe(1);
    expect(await outcomes(3)).toEqual(['unavailable', 'unavailable', 'unavailable']);
    expect(calls).toBe(1);
    answer('well');
    expect(await trying).toBe('well');
    expect(await state()).toBe(0);
    fault = async () => 'well';
    expect(await outcomes(2)).toEqual(['well', 'well']);
  });

  it('stays open when the try fails', async () => {
    await open();
    await halfOpens();
    expect(await outcomes(3)).toEqual(['unavailable', 'unavailable', 'unavailable']);
    expect([calls, await state()]).toEqual([1, 2]);
  });

  it('takes an answer for an answer, whichever', async () => {
    fails(notFound);
    expect(new Set(await outcomes(20))).toEqual(new Set(['not found']));
    expect([calls, await state()]).toEqual([20, 0]);
  });

  it('repeats what was refused', async () => {
    fault = async () => {
      if (calls < 3) throw refusal;
      return 'well';
    };
    expect([await outcome(), calls]).toEqual(['well', 3]);
  });

  it('repeats nothing that the callee may have begun', async () => {
    fails(failure);
    expect([await outcome(), calls]).toEqual(['unavailable', 1]);
  });

  it('repeats only as long as its budget lasts, which successes refill', async () => {
    fails(refusal);
    await outcomes(4);
    // 3 + 2 + 1 + 1: the fifth failure leaves half of ten tokens.
    expect(calls).toBe(7);
    fault = async () => 'well';
    await outcomes(10);
    calls = 0;
    fails(refusal);
    await outcome();
    expect(calls).toBe(3);
  });
});
