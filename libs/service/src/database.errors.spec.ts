import { describe, expect, it } from '@jest/globals';
import { QueryFailedError, QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { isDatabaseUnavailable, violatedConstraint } from './database.errors.js';

const withCode = (code: string, more: object = {}) => Object.assign(new Error('x'), { code, ...more });
const failedQuery = (cause: Error) => new QueryFailedError('SELECT 1', [], cause);

describe('isDatabaseUnavailable', () => {
  it.each(['08006', '57P01', '57P03', '53300', '25006', '57014', 'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND'])(
    '%s: yes',
    (code) => {
      expect(isDatabaseUnavailable(withCode(code))).toBe(true);
      expect(isDatabaseUnavailable(failedQuery(withCode(code)))).toBe(true);
    },
  );

  it.each(['23505', '42601', '22P02', '40001'])('%s: no', (code) => {
    expect(isDatabaseUnavailable(failedQuery(withCode(code)))).toBe(false);
  });

  it('knows the lost connections that carry no code', () => {
    expect(isDatabaseUnavailable(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isDatabaseUnavailable(new Error('timeout exceeded when trying to connect'))).toBe(true);
    expect(isDatabaseUnavailable(new QueryRunnerAlreadyReleasedError())).toBe(true);
    expect(isDatabaseUnavailable(new QueryRunnerProviderAlreadyReleasedError())).toBe(true);
    expect(isDatabaseUnavailable(new Error('name is not defined'))).toBe(false);
    expect(isDatabaseUnavailable(new AggregateError([withCode('ECONNREFUSED')]))).toBe(true);
  });
});

describe('violatedConstraint', () => {
  it('names the constraint of a duplicate and nothing else', () => {
    expect(violatedConstraint(failedQuery(withCode('23505', { constraint: 'lists_name' })))).toBe('lists_name');
    expect(violatedConstraint(failedQuery(withCode('40001', { constraint: 'lists_name' })))).toBeUndefined();
    expect(violatedConstraint(new Error('other'))).toBeUndefined();
  });
});
