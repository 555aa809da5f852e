import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { readCursor, toPage } from './page.js';
import { Problem } from './problem.js';

const key = z.tuple([z.number()]);

describe('pages', () => {
  it('a full page points to the row after which the next begins', () => {
    const page = toPage([1, 2, 3], 2, String, (row) => [row]);
    expect(page.items).toEqual(['1', '2']);
    expect(readCursor(page.nextCursor!, key)).toEqual([2]);
  });

  it('the last page has no cursor, also when it is exactly full', () => {
    expect(toPage([1, 2], 2, String, (row) => [row]).nextCursor).toBeNull();
    expect(toPage([], 2, String, (row) => [row])).toEqual({ items: [], nextCursor: null });
  });

  it.each(['', 'zzz', 'W10', Buffer.from('["a"]').toString('base64url'), '💥'])('refuses the cursor %j', (cursor) => {
    expect(() => readCursor(cursor, key)).toThrow(Problem);
  });
});
