interface Results {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  /** Suites that failed before their first test. */
  numRuntimeErrorTestSuites: number;
}

/** Ends a run with one line for people and scripts: "12 passed, 0 failed". */
export default class CountReporter {
  onRunComplete(_contexts: unknown, results: Results): void {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests ? `, ${results.numPendingTests} skipped` : '';
    process.stdout.write(`\n${results.numPassedTests} passed, ${failed} failed${skipped}\n`);
  }
}
