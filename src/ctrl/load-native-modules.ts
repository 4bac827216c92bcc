/**
 * Imported before everything else: if a native module does not load, the worker ends with an error message instead of a
 * stack trace. `serve` has checked the modules, but an upgrade can replace Node.js under a running manager.
 */
import { NATIVE_MODULES, requireNativeModules } from '../host/native-modules.js';
import { WORKER_EXIT } from '../session/worker-report.js';

requireNativeModules(NATIVE_MODULES, (problem, remedy) => {
  process.stderr.write(`pptpd-ts: ctrl worker ${process.pid}: ${problem}; ${remedy}\n`);
  process.exit(WORKER_EXIT.nativeModules);
});
