import { describe, expect, it } from '@jest/globals';
import { Progress } from './progress.js';

const SOON = 1000;

describe('the progress of a consumer', () => {
  it('has no fault while handlers end in time', () => {
    const progress = new Progress();
    const ended = progress.handlerStarted('number.drawn');
    expect(progress.fault(SOON, performance.now() + 900)).toBeUndefined();
    ended();
    expect(progress.fault(SOON, performance.now() + 1_000_000)).toBeUndefined();
  });

  it('names the handler that runs too long, also beside others of its kind', () => {
    const progress = new Progress();
    progress.handlerStarted('number.drawn');
    progress.handlerStarted('number.drawn')();
    expect(progress.fault(SOON, performance.now() + 2000)).toBe('a handler of number.drawn has been running for 2 s');
  });
});
