/**
 * Imported before everything else: if a native module does not load, the worker ends with an error message instead of a
 * stack trace. `serve` has checked the modules, but an upgrade can replace Node.js under a running manager.
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
