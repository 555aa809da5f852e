import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TokenSecret } from '../keys/token-secret.js';
import { Limits } from './limits.service.js';

describe('an exhausted limit', () => {
  const limit = { quota: { name: 'login-account', most: 1, window: 3_600_000 }, of: 'ada@example.com' };
  const statements: string[] = [];
  const query = async (text: string) => {
    statements.push(text.trim().split(' ', 1)[0]!);
    return text.includes('SELECT') ? [{ reset: 1_800_000 }] : [];
  };
  const dataSource = { query, manager: { query } } as unknown as DataSource;
  const secret = new TokenSecret({ TOKEN_SECRET: ['a secret of at least thirty-two characters'] });
  const refused = { code: 'too-many-requests', extra: { limit: 'login-account', retryAfter: 1800 } };

  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => {
    jest.useRealTimers();
    statements.length = 0;
  });

  it('costs the database one attempt a second, however many come', async () => {
    const limits = new Limits(dataSource, secret);
    for (let attempt = 0; attempt < 1000; attempt++) await expect(limits.take([limit])).rejects.toMatchObject(refused);
    expect(() => limits.assertOpen([limit])).toThrow('login-account');
    expect(statements).toEqual(['INSERT', 'SELECT']);
    jest.advanceTimersByTime(1000);
    expect(() => limits.assertOpen([limit])).not.toThrow();
    await expect(limits.take([limit])).rejects.toMatchObject(refused);
    expect(statements).toHaveLength(4);
  });

  it('of one leaves others open', async () => {
    const limits = new Limits(dataSource, secret);
    await expect(limits.take([limit])).rejects.toMatchObject(refused);
    expect(() => limits.assertOpen([{ ...limit, of: 'bob@example.com' }])).not.toThrow();
  });
});
