import base from '../jest.config.js';

// npm run test:cluster: one file after the other, since they all break the same release.
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/e2e/cluster'],
  testPathIgnorePatterns: [],
  testSequencer: '<rootDir>/e2e/cluster/in-order.js',
  maxWorkers: 1,
  testTimeout: 400_000,
};
