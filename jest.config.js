// Real servers for all suites: started once by dist/libs/testing (so a build must come first), addresses by environment.
export default {
  roots: ['apps', 'libs', 'local', 'e2e', 'bench', 'scripts'].map((folder) => `<rootDir>/${folder}`),
  testMatch: ['**/*.spec.ts'],
  // Needs a cluster: npm run test:cluster.
  testPathIgnorePatterns: ['<rootDir>/e2e/cluster/'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          target: 'es2024',
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^#libs/([^/]+)/setup$': '<rootDir>/libs/$1/src/setup.ts',
    '^#libs/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^#local/(.+)\\.js$': '<rootDir>/local/$1.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  globalSetup: '<rootDir>/dist/libs/testing/src/global-setup.js',
  globalTeardown: '<rootDir>/dist/libs/testing/src/global-teardown.js',
  reporters: ['default', ...['log', 'count'].map((name) => `<rootDir>/dist/libs/testing/src/${name}-reporter.js`)],
  testTimeout: 60_000,
  maxWorkers: 2,
};
