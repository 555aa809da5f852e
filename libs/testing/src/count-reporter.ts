/** What Jest tells a reporter at the end, as far as it is used here. */
interface Results {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  /** Suites that failed before a test of theirs ran. */
  numRuntimeErrorTestSuites: number;
}

/** Ends a run with one line that people and scripts can read: "12 passed, 0 failed". */
export default class CountReporter {
  onRunComplete(_contexts: unknown, results: Results): void {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests ? `, ${results.numPendingTests} skipped` : '';
    process.stdout.write(`\n${results.numPassedTests} passed, ${failed} failed${skipped}\n`);
  }
}
