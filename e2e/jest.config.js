import base from '../jest.config.js';

// npm run test:e2e: only suites that use BASE_URL and MAILBOX_URL, without the servers that other suites share.
const { globalSetup: _start, globalTeardown: _stop, ...rest } = base;
export default {
  ...rest,
  rootDir: '..',
  roots: ['<rootDir>/e2e'],
  testPathIgnorePatterns: ['<rootDir>/e2e/faults/', '<rootDir>/e2e/cluster/'],
};
