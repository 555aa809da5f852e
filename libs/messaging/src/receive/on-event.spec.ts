import { Controller } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { doubleOf, numberDrawn, numberErased, type TestNumber } from '../../test/test-events.js';
import { EventContext } from './event-context.js';
import { OnEvent, OnRequest } from './on-event.js';

const double = doubleOf('p');

// `npm run typecheck` is the test: an expected error that does not come is an error.
@Controller()
class Handlers {
  @OnEvent(numberDrawn)
  data({ n }: TestNumber): number {
    return n;
  }

  @OnEvent(numberErased, { ordered: true })
  tombstone(_data: null, { key }: EventContext): string {
    return key;
  }

  // @ts-expect-error the payload is of another type
  @OnEvent(numberDrawn)
  otherPayload(_data: { key: string; n: string }): void {}

  // @ts-expect-error a field that the event does not have
  @OnEvent(numberDrawn)
  fieldTooMany(_data: TestNumber & { colour: string }): void {}

  // @ts-expect-error a tombstone has no data
  @OnEvent(numberErased)
  dataOfTombstone(_data: TestNumber): void {}

  // @ts-expect-error no such option
  @OnEvent(numberDrawn, { inOrder: true })
  otherOption(_data: TestNumber): void {}

  @OnRequest(double)
  async answer({ n }: { n: number }): Promise<{ doubled: number }> {
    return { doubled: n * 2 };
  }

  // @ts-expect-error the question is of another type
  @OnRequest(double)
  otherQuestion(_question: { m: number }): { doubled: number } {
    return { doubled: 0 };
  }

  // @ts-expect-error the answer is of another type
  @OnRequest(double)
  otherAnswer(_question: { n: number }): number {
    return 0;
  }
}

describe('@OnEvent and @OnRequest', () => {
  it('leave the method callable as it is', async () => {
    const handlers = new Handlers();
    expect(handlers.data({ key: 'a', n: 1 })).toBe(1);
    expect(await handlers.answer({ n: 2 })).toEqual({ doubled: 4 });
  });
});
