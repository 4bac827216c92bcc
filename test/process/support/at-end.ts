/**
 * The end of a test and of its file, also when the test has failed. Node.js runs no further hook of a test after one that
 * failed, and no file ends while something in it is open: without this a failed test costs the runner's whole time limit.
 */
import { after, type TestContext } from 'node:test';

/** From the end of the last test; what ends by itself needs less. */
const GRACE_MS = 10_000;

/** Calls `work` when the test ends. If that fails, the test has failed, but only after its other hooks have run. */
export function atEnd(t: TestContext, work: () => unknown): void {
  t.after(async () => {
    try {
      await work();
    } catch (error) {
      t.after(() => {
        throw error;
      });
    }
  });
}

/** Call it once in a file: the file ends with its last test. If something is still open later, the file has failed. */
export function endWithLastTest(graceMs = GRACE_MS): void {
  after(() => {
    const end = (): void => {
      console.error(`still open after the last test: ${process.getActiveResourcesInfo().join(', ')}`);
      process.exit(1);
    };
    setTimeout(end, graceMs).unref();
  });
}
