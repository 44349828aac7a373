import type {Reporter, TestModule} from 'vitest/node';

/** Vitest reporter: as the run's very last line `12 passed, 0 failed`, with the skipped ones if there are any. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = {passed: 0, failed: errors.length, skipped: 0, pending: 0};
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state]++;
      // A file that does not even load has no tests to fail.
      if (module.errors().length > 0) counts.failed++;
    }
    process.once('exit', (code) => {
      // A run that breaks outside of the tests has failed too, whatever they say.
      const failed = counts.failed || (code === 0 ? 0 : 1);
      const skipped = counts.skipped + counts.pending;
      process.stdout.write(`${counts.passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
    });
  }
}
