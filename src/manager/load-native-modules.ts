/**
 * Imported before everything else: if koffi does not load, the manager ends with an error message instead of a stack trace.
 * It needs no other native module; doctor's checks, which it runs, load all of them.
 */
import { requireNativeModules } from '../host/native-modules.js';

requireNativeModules(['koffi'], (problem, remedy) => {
  process.stderr.write(`pptpd-ts: ${problem}; remedy: ${remedy}\n`);
  process.exit(1);
});
