/**
 * Imported before everything else: a native module that does not load ends the worker with a sentence instead of a stack.
 * `serve` has checked them; but the next worker may meet another Node.js, since an upgrade replaces it under a running manager.
 */
import { createRequire } from 'node:module';
import { NATIVE_MODULES, nativeProblem, nativeRemedy } from '../host/native-modules.js';
import { WORKER_EXIT } from '../session/worker-report.js';

const load = createRequire(import.meta.url);
for (const name of NATIVE_MODULES) {
  try {
    load(name);
  } catch (error) {
    const problem = nativeProblem(name, error as NodeJS.ErrnoException);
    process.stderr.write(`pptpd-ts: ctrl worker ${process.pid}: ${problem}; ${nativeRemedy()}\n`);
    process.exit(WORKER_EXIT.nativeModules);
  }
}
