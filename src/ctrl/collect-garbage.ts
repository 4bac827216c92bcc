/**
 * When a worker collects garbage by itself: once after its start, a login and the end of a session, 3 MiB each time. V8's
 * memory reducer does so, too, but since Node.js 22 it also wakes an idle process every 8 s for ever, and collects garbage
 * every 100 s. So the manager starts workers without it, and with `gc`.
 */
import { performance } from 'node:perf_hooks';

export const WAIT_MS = 8000;
/** A process that is busy for more than this part of the time waits for a better moment: a collection takes some ms. */
const BUSY = 1 / 10;

let timer: NodeJS.Timeout | undefined;

/** WAIT_MS after the last call. Does not keep the process alive. */
export function collectGarbageSoon(): void {
  clearTimeout(timer);
  const before = performance.eventLoopUtilization();
  timer = setTimeout(() => {
    if (performance.eventLoopUtilization(before).utilization > BUSY) collectGarbageSoon();
    else {
      globalThis.gc?.();
      // What the first has found unused it frees now: 1 MiB more.
      globalThis.gc?.();
    }
  }, WAIT_MS).unref();
}
