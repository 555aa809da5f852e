import { describe, expect, it } from '@jest/globals';
import { Wakeup } from './wakeup.js';

/** Longer than a test may take. */
const LONG = 90_000;

describe('the pause of a polling loop', () => {
  it('ends when the loop is woken, whether before or in the pause', async () => {
    const wakeup = new Wakeup();
    const pausing = wakeup.pause(LONG);
    wakeup.wake();
    await pausing;
    await wakeup.pause(LONG);
  });

  it('ends by itself, and a wake-up that was seen to does not shorten the next', async () => {
    const wakeup = new Wakeup();
    wakeup.wake();
    wakeup.clear();
    let ended = false;
    const pausing = wakeup.pause(30).then(() => (ended = true));
    await new Promise(setImmediate);
    expect(ended).toBe(false);
    await pausing;
  });
});
