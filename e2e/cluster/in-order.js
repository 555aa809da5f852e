import { createRequire } from 'node:module';

// Jest brings this package along for its own use; it is CommonJS with a default export.
const { default: Sequencer } = createRequire(import.meta.url)('@jest/test-sequencer');

/** Runs the files by name: the first installs the release, the others break it one after the other. */
export default class InOrder extends Sequencer {
  sort(tests) {
    return tests.toSorted((one, other) => one.path.localeCompare(other.path));
  }
}
