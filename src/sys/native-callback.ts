/**
 * Callbacks of native modules and promises. Up to version 25 Node.js continued with settled promises and nextTick after
 * every callback. Since version 26 it does so only after callbacks that were made through its own functions, which neither
 * koffi's polls nor raw-socket use: a promise that such a callback settles would wait for an unrelated event.
 */

const FIRST_VERSION = 26;
const isNeeded = Number.parseInt(process.versions.node, 10) >= FIRST_VERSION;
let isScheduled = false;
const done = (): void => {
  isScheduled = false;
};

/** Call it in a callback of a native module: settled promises go on in this turn of the event loop. */
export function settlePromises(): void {
  if (!isNeeded || isScheduled) return;
  isScheduled = true;
  // Promises go on after an immediate, whatever it does.
  setImmediate(done);
}
